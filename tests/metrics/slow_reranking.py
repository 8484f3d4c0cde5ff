"""The slow, obvious twins of re-ranking: full matrices, sets and loops, float64."""

from fractions import Fraction

import numpy as np

from metrics.slow_evaluator import slow_visible_distances


def all_pairs(query_gallery, query_query, gallery_gallery):
    """Row ``i``: distances from item ``i`` to all, queries first."""
    between = np.asarray(query_gallery, np.float64)
    return np.block(
        [[np.asarray(query_query, np.float64), between], [between.T, np.asarray(gallery_gallery)]]
    )


def squared_distances(features):
    features = np.asarray(features, np.float64)
    return np.array([[((a - b) ** 2).sum() for b in features] for a in features])


def visible_distances(query, gallery, query_visible, gallery_visible, sizes, weights):
    items, visible = np.concatenate([query, gallery]), np.concatenate([query_visible, gallery_visible])
    return slow_visible_distances(items, items, visible, visible, sizes, weights)


def slow_k_reciprocal(pairs, queries, k1=20, k2=6, lambda_=0.3, squared_again=False):
    """Distances ``(Q, G)`` from ``pairs``, whose row ``i`` holds the distances from item ``i`` to all."""
    everyone = range(len(pairs))
    near = np.array([row / (row.max() or 1) for row in pairs])
    if squared_again:
        near = near**2
    order = [sorted(everyone, key=lambda j, i=i: (near[i][j], j)) for i in everyone]

    def reciprocal(i, count):
        return {j for j in order[i][: count + 1] if i in order[j][: count + 1]}

    half = {0: k1 // 2, 1: k1 // 2 + (k1 // 2) % 2}[k1 % 2]  # a half goes to the even side
    vectors = np.zeros_like(near)
    for i in everyone:
        own = reciprocal(i, k1)
        joined = set(own)
        for member in own:
            candidates = reciprocal(member, half)
            if candidates and Fraction(len(own & candidates), len(candidates)) > Fraction(2, 3):
                joined |= candidates
        for j in joined:
            vectors[i, j] = np.exp(-near[i, j])
        if joined:
            vectors[i] /= vectors[i].sum()
    if k2 > 1:
        vectors = np.array([vectors[order[i][:k2]].mean(axis=0) for i in everyone])
    final = np.empty((queries, len(pairs) - queries))
    for i in range(queries):
        for j in range(queries, len(pairs)):
            common = np.minimum(vectors[i], vectors[j]).sum()
            jaccard = 1 - common / (2 - common)
            final[i, j - queries] = (1 - lambda_) * jaccard + lambda_ * near[i, j]
    return final


def slow_expansion(query, gallery, k, alpha=None, distance="euclidean"):
    """Each query joined with its nearest gallery items."""
    query, gallery = np.asarray(query, np.float64), np.asarray(gallery, np.float64)

    def cosine(a, b):
        return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))

    expanded = []
    for own in query:
        far = [((own - b) ** 2).sum() if distance == "euclidean" else 1 - cosine(own, b) for b in gallery]
        total, weight = own.copy(), 1.0
        for j in sorted(range(len(gallery)), key=lambda j, far=far: (far[j], j))[:k]:
            share = 1.0 if alpha is None else max(cosine(own, gallery[j]), 0) ** alpha
            total += share * gallery[j]
            weight += share
        expanded.append(total / weight)
    return np.array(expanded)
