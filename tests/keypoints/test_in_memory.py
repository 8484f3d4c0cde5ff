import pickle

import numpy as np
import pytest

from vidreid.keypoints.in_memory import KeypointArray


def test_rows_come_as_asked_for_and_are_copies():
    joints = np.random.default_rng(0).uniform(0.1, 1.0, (5, 17, 3))
    source = pickle.loads(pickle.dumps(KeypointArray(joints)))
    assert len(source) == 5
    np.testing.assert_allclose(source[np.array([3, 1, 3])], joints[[3, 1, 3]], rtol=1e-6)
    np.testing.assert_allclose(source[1:3], joints[1:3], rtol=1e-6)
    source[0:5][:] = 0
    assert source[[0]].all()
    assert source[[0]].dtype == np.float32


def test_what_is_not_there_is_zero():
    joints = np.full((1, 17, 3), 5.0)
    joints[0, 0, 0], joints[0, 1, 2], joints[0, 2, 2] = np.nan, 0, -1
    joints[0, 3, 1] = np.inf
    read = KeypointArray(joints)[[0]][0]
    assert (read[:4] == 0).all()
    # COCO's flag for a visible joint is 2.
    assert (read[4:] == [5, 5, 1]).all()
    with pytest.raises(ValueError, match=r"must be \(frames, 17, 3\)"):
        KeypointArray(joints[0])
