"""Golden case 0: the recipe of weights and inputs gives the same bits here as where the numbers were made."""

import numpy as np

from golden.golden_weights import fill, images, normal
from models.golden_files import golden_files, load, number

SHAPES = {
    "layer.weight": (4, 3, 3, 3),
    "layer.bias": (4,),
    "bn.weight": (4,),
    "bn.bias": (4,),
    "bn.running_mean": (4,),
    "bn.running_var": (4,),
    "bn.num_batches_tracked": (),
    "fc.weight": (2, 4),
    "conv.t": (1,),
}


@golden_files("c0_recipe*.npz")
def test_the_recipe_is_reproduced(path) -> None:
    case = load(path)
    seed = number(case["seed"])
    made = {f"fill:{key}": value for key, value in fill(SHAPES, seed).items()}
    made["normal:x"] = normal("x", (3, 4), seed)
    made["images:y"] = images("y", 2, seed)[1, 2, 100:104, 60:68]
    assert set(case) - {"seed"} == set(made)
    for key, value in made.items():
        np.testing.assert_array_equal(value.numpy(), case[key], err_msg=key)
