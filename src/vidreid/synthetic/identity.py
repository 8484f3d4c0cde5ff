"""Who a walker is: an identity as many weak cues.

Each attribute is drawn from few values, so that no single one identifies anybody. Identities come in
look-alike families that share all of their clothes but one local cue, and in gait twins that share all of
them and differ in body and gait alone. (Design: shared points 1, 2 and 11 of the benchmark's description in
``docs/benchmark.md``.)
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from numpy.random import Generator

from vidreid.synthetic.wardrobe import Wardrobe

SLEEVES = ("short", "elbow", "long")
HEMS = ("shorts", "knee", "long", "skirt")
HAIR_STYLES = ("short", "long", "cap", "bald")
LOGOS = ("none", "square", "band")
BAGS = ("none", "backpack", "left", "right")
LEVELS = {
    "height": 5,
    "girth": 4,
    "shoulders": 3,
    "legs": 3,
    "frequency": 5,
    "stride": 4,
    "swing": 4,
    "lean": 3,
}
"""Body and gait attributes with the number of values each of them takes."""

LOCAL_CUES = ("shoes", "bag", "sleeve", "hem", "hair_style", "front", "back", "pattern", "swap", "second")
"""What the members of a look-alike family may differ in; ``swap`` exchanges the colours of top and legs."""


@dataclass(frozen=True)
class Identity:
    """The attributes of one walker; every field is a small integer (an index into its list of values).

    ``top``, ``second``, ``bottom``, ``shoes`` and ``bag_colour`` are colours of the wardrobe, ``pattern`` one
    of its patterns. ``front`` and ``back`` are prints that are seen from one side only.
    """

    top: int
    second: int
    bottom: int
    shoes: int
    hair: int
    skin: int
    pattern: int
    sleeve: int
    hem: int
    hair_style: int
    front: int
    back: int
    bag: int
    bag_colour: int
    height: int
    girth: int
    shoulders: int
    legs: int
    frequency: int
    stride: int
    swing: int
    lean: int

    def attributes(self) -> dict[str, int]:
        """Return all attributes by name."""
        return asdict(self)


def draw_identity(rng: Generator, wardrobe: Wardrobe) -> Identity:
    """Draw every attribute independently."""
    colours = len(wardrobe.colours)
    top, second, bottom = (int(c) for c in rng.choice(colours, 3, replace=False))
    return Identity(
        top=top,
        second=second,
        bottom=bottom,
        shoes=int(rng.choice(wardrobe.shoe_colours)),
        hair=int(rng.integers(len(wardrobe.hair_colours))),
        skin=int(rng.integers(len(wardrobe.skin_colours))),
        pattern=int(rng.integers(len(wardrobe.patterns))),
        sleeve=int(rng.integers(len(SLEEVES))),
        hem=int(rng.choice(len(HEMS), p=(0.25, 0.1, 0.45, 0.2))),
        hair_style=int(rng.choice(len(HAIR_STYLES), p=(0.55, 0.27, 0.13, 0.05))),
        front=int(rng.integers(len(LOGOS))),
        back=int(rng.integers(len(LOGOS))),
        bag=int(rng.choice(len(BAGS), p=(0.4, 0.24, 0.18, 0.18))),
        bag_colour=int(rng.integers(colours)),
        **{name: int(rng.integers(count)) for name, count in LEVELS.items()},
    )


def draw_identities(rng: Generator, wardrobe: Wardrobe, count: int) -> tuple[list[Identity], list[int]]:
    """Draw identities in look-alike families.

    Args:
        rng: Source of randomness.
        wardrobe: Colours and patterns to choose from.
        count: Number of identities.

    Returns:
        The identities and the family number of each; families are neighbours in the list.
    """
    identities: list[Identity] = []
    families: list[int] = []
    family = 0
    while len(identities) < count:
        first = draw_identity(rng, wardrobe)
        members = [first]
        if rng.random() < 0.06:
            members.append(gait_twin(rng, first))
        else:
            extra = int(rng.choice(4, p=(0.55, 0.27, 0.13, 0.05)))
            for cue in rng.choice(LOCAL_CUES, extra, replace=False):
                members.append(look_alike(rng, wardrobe, first, str(cue)))
        members = members[: count - len(identities)]
        identities += members
        families += [family] * len(members)
        family += 1
    return identities, families


def look_alike(rng: Generator, wardrobe: Wardrobe, model: Identity, cue: str) -> Identity:
    """Change one local cue of the clothes and draw body and gait anew."""
    body = {name: int(rng.integers(count)) for name, count in LEVELS.items()}
    changed = _change(rng, wardrobe, model, cue)
    return replace(changed, **body)


def gait_twin(rng: Generator, model: Identity) -> Identity:
    """Keep the clothes and the build, and move the gait as far away as its levels allow."""
    far = {
        name: (LEVELS[name] - 1 if getattr(model, name) < LEVELS[name] / 2 else 0)
        for name in ("frequency", "stride", "swing", "lean")
    }
    return replace(model, **far)


def _change(rng: Generator, wardrobe: Wardrobe, model: Identity, cue: str) -> Identity:
    def other(count: int, now: int) -> int:
        return int((now + rng.integers(1, count)) % count)

    if cue == "swap":
        return replace(model, top=model.bottom, bottom=model.top)
    if cue == "shoes":
        choices: Sequence[int] = [c for c in wardrobe.shoe_colours if c != model.shoes]
        return replace(model, shoes=int(rng.choice(choices)))
    if cue == "second":
        return replace(model, second=other(len(wardrobe.colours), model.second))
    counts = {
        "bag": len(BAGS),
        "sleeve": len(SLEEVES),
        "hem": len(HEMS),
        "hair_style": len(HAIR_STYLES),
        "front": len(LOGOS),
        "back": len(LOGOS),
        "pattern": len(wardrobe.patterns),
    }
    return replace(model, **{cue: other(counts[cue], getattr(model, cue))})
