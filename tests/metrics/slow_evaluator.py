"""The slow, obvious twin of the ranking: float64 matrix, stable argsort, one query after the other."""

from dataclasses import dataclass

import numpy as np


@dataclass
class SlowResult:
    cmc: np.ndarray
    mean_ap: float
    mean_inp: float
    counted: int
    dropped: int
    average_precisions: np.ndarray
    tied: int


def slow_rank(
    query,
    gallery,
    query_pids,
    gallery_pids,
    query_cameras,
    gallery_cameras,
    distance="euclidean",
    average_precision="hits",
    junk_pid=-1,
    unanswered="skip",
    max_rank=50,
    matrix=None,
    query_outfits=None,
    gallery_outfits=None,
    answers="any",
):
    query, gallery = np.asarray(query, np.float64), np.asarray(gallery, np.float64)
    if matrix is not None:
        pass  # other distances, already computed
    elif distance == "euclidean":
        matrix = np.array([[((a - b) ** 2).sum() for b in gallery] for a in query])
    else:
        matrix = np.array(
            [[1 - (a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)) for b in gallery] for a in query]
        )
    curves, aps, inps, tied = [], [], [], 0
    for i in range(len(query)):
        items = []
        for j in np.argsort(matrix[i], kind="stable"):
            same = gallery_pids[j] == query_pids[i]
            if (same and gallery_cameras[j] == query_cameras[i]) or gallery_pids[j] == junk_pid:
                continue
            if same and answers != "any":
                changed = gallery_outfits[j] != query_outfits[i]
                if changed != (answers == "other_outfit"):
                    continue
            items.append((bool(same), matrix[i, j]))
        right = [k for k, (same, _) in enumerate(items, start=1) if same]
        right_distances = {d for same, d in items if same}
        tied += any(not same and d in right_distances for same, d in items)
        if not right:
            aps.append(0.0 if unanswered == "zero" else np.nan)
            if unanswered == "zero":
                curves.append([0.0] * max_rank)
                inps.append(0.0)
            continue
        terms = []
        for number, position in enumerate(right, start=1):
            if average_precision == "hits":
                terms.append(number / position)
            else:
                before = 1.0 if position == 1 else (number - 1) / (position - 1)
                terms.append((number / position + before) / 2)
        aps.append(sum(terms) / len(right))
        inps.append(len(right) / right[-1])
        curves.append([float(right[0] <= k) for k in range(1, max_rank + 1)])
    counted = len(curves)
    return SlowResult(
        cmc=np.mean(curves, axis=0) if counted else np.full(max_rank, np.nan),
        mean_ap=float(np.nanmean(aps)) if counted else np.nan,
        mean_inp=float(np.mean(inps)) if counted else np.nan,
        counted=counted,
        dropped=len(query) - counted,
        average_precisions=np.array(aps),
        tied=tied,
    )


def slow_visible_distances(query, gallery, query_visible, gallery_visible, sizes, weights, uncompared=None):
    """Squared distances over the segments that both show, scaled to all of them, one pair after the other.

    A pair without a common segment is as far as ``uncompared`` says, by default as ``VisibleDistances`` does.
    """
    query, gallery = np.asarray(query, np.float64), np.asarray(gallery, np.float64)
    stops = np.cumsum(sizes)
    matrix = np.full((len(query), len(gallery)), np.nan)
    for i, a in enumerate(query):
        for j, b in enumerate(gallery):
            squared = share = 0.0
            for s, (size, stop) in enumerate(zip(sizes, stops, strict=True)):
                if query_visible[i][s] and gallery_visible[j][s]:
                    squared += ((a[stop - size : stop] - b[stop - size : stop]) ** 2).sum()
                    share += weights[s]
            if share > 0:
                matrix[i, j] = squared * sum(weights) / share
    if uncompared is not None:
        return np.nan_to_num(matrix, nan=uncompared)

    def shown(features, visible):
        parts = [features[stop - size : stop] for size, stop in zip(sizes, stops, strict=True)]
        return sum((part**2).sum() for part, shows in zip(parts, visible, strict=True) if shows)

    longest = max(shown(b, v) for b, v in zip(gallery, gallery_visible, strict=True))
    for i, a in enumerate(query):
        compared = matrix[i][~np.isnan(matrix[i])]
        far = max([shown(a, query_visible[i]) + longest, *compared])
        matrix[i][np.isnan(matrix[i])] = far
    return matrix


def random_outfits(problem, seed):
    """Outfits of the queries and of the gallery; identity 2 never changes, and identity 3 always does."""
    random = np.random.default_rng([seed, 1])
    outfits = []
    for side, pids in enumerate(problem[2:4]):
        worn = random.integers(0, 3, len(pids))
        worn[pids == 2] = 1
        worn[pids == 3] = 5 + side
        outfits.append(worn)
    return outfits


def random_problem(seed, queries=40, gallery=150, width=6, pids=12, cameras=3, ties=True):
    """Features and ids with junk (-1), distractors (0), unanswered queries and, if wanted, many ties."""
    random = np.random.default_rng(seed)
    make = (
        (lambda n: random.integers(0, 3, (n, width))) if ties else (lambda n: random.normal(size=(n, width)))
    )
    query, items = make(queries).astype(np.float32), make(gallery).astype(np.float32)
    query_pids = random.integers(1, pids + 4, queries)  # the last ids never occur in the gallery
    gallery_pids = random.integers(-1, pids + 1, gallery)
    query_cameras, gallery_cameras = (
        random.integers(1, cameras + 1, queries),
        random.integers(1, cameras + 1, gallery),
    )
    gallery_cameras[gallery_pids == 1] = 1  # identity 1: seen by camera 1 only, a query there is unanswered
    query_pids[:3], query_cameras[:3] = 1, (1, 1, 2)
    return query, items, query_pids, gallery_pids, query_cameras, gallery_cameras
