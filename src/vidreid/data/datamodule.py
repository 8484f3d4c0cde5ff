"""What all benchmarks share on the way from tables to loaders; a small subclass names the reader."""

from pathlib import Path
from typing import ClassVar, Literal

from vidreid.data.benchmark_tables import BenchmarkTables
from vidreid.data.clips import check_sampling
from vidreid.data.dataset import EvaluationClips, TrainClips
from vidreid.data.evaluation_settings import EvaluationSettings, Query
from vidreid.data.keypoint_sources import KeypointSource, open_keypoints
from vidreid.data.loading import ClipData, ClipSampler, Loader, clip_loader
from vidreid.data.mars_format import TEST_FOLDER, TRAIN_FOLDER
from vidreid.data.packing import pack_frames
from vidreid.data.protocols import PROTOCOLS, Protocol, find_protocol
from vidreid.data.reading import ClipReader, OnBadFrame, check_on_bad_frame
from vidreid.data.samplers import EvaluationSampler, IdentitySampler, TrackletSampler
from vidreid.data.tracklets import FrameList
from vidreid.data.transforms import ClipTransform, training_augmentations
from vidreid.keypoints.layouts import Layout, check_layout


class ReidDataModule(BenchmarkTables):
    """Loaders of a benchmark.

    Use it with ``Trainer(use_distributed_sampler=False)``: the samplers know the ranks themselves.

    Attributes:
        protocols: The protocols of the benchmark.
        train_split: Folder of the training images below the root.
        test_split: The same for test.
        annotated_layout: What the 17 joints of its ``.pose`` files are.
    """

    protocols: ClassVar[dict[str, Protocol]] = PROTOCOLS
    train_split: ClassVar[str] = TRAIN_FOLDER
    test_split: ClassVar[str] = TEST_FOLDER
    annotated_layout: ClassVar[Layout] = "coco17"

    def __init__(
        self,
        root: str | Path,
        height: int = 256,
        width: int = 128,
        clip_length: int = 8,
        train_sampling: str = "segment_random",
        test_sampling: str = "evenly",
        test_clip_length: int | None = None,
        test_max_clips: int | None = None,
        query: Query = "tracklet",
        batch_size: int = 8,
        test_batch_size: int = 16,
        sampler: Literal["random", "identity"] = "random",
        identities_per_batch: int = 4,
        tracklets_per_identity: int = 4,
        identity_visits: int | None = None,
        keypoints: str | Path | None = "detector",
        test_keypoints: bool = False,
        joints: str = "body12",
        pose_layout: Layout | None = None,
        flip: float = 0.5,
        erase: float = 0.5,
        erase_per_frame: bool = False,
        crop: int = 0,
        enlarge: float = 0.0,
        jitter: float = 0.0,
        independent_frames: bool = False,
        keypoints_follow: bool = True,
        protocol: str = "official",
        held_out_identities: float = 0,
        split_seed: int = 0,
        workers: int = 2,
        seed: int = 0,
        strict: bool = False,
        on_bad_frame: OnBadFrame = "error",
        pin_memory: bool = False,
        pack: bool = False,
        pack_folder: str | Path | None = None,
    ) -> None:
        """Take the settings; nothing is read before it is needed.

        Args:
            root: Where the benchmark lies.
            height: ``H`` of the network's input.
            width: ``W`` of the network's input.
            clip_length: Frames of a training clip ``T``.
            train_sampling: How frames of a training clip are chosen.
            test_sampling: How clips are taken in validation and test.
            test_clip_length: Frames of an evaluation clip; by default ``clip_length``.
            test_max_clips: At most so many clips of a tracklet under ``test_sampling=dense``.
            query: What asks in validation and test: the whole ``tracklet``, or its middle frame (``image``).
            batch_size: Clips of a training batch on one process, for ``sampler=random``.
            test_batch_size: Clips of an evaluation batch on one process.
            sampler: ``random``: every tracklet once an epoch; ``identity``: P identities of K tracklets.
            identities_per_batch: P on one process.
            tracklets_per_identity: K on one process; the batch has P x K clips.
            identity_visits: How often an identity comes up in an epoch; by default so often that an epoch
                has about as many clips as there are tracklets.
            keypoints: ``detector`` or ``true`` (in ``<root>/keypoints``), ``pose_files`` (beside the images),
                a folder, or ``None`` for a network that needs none.
            test_keypoints: Whether evaluation clips carry keypoints too. A network that describes without
                them (KMPNet) needs none, and MARS has none for distractors and junk.
            joints: ``body12``, ``coco17`` or ``posetrack15``.
            pose_layout: What the joints of ``.pose`` files are; by default what the set is annotated with.
            flip: Probability of mirroring a training clip.
            erase: Probability of erasing a rectangle in a training clip.
            erase_per_frame: Draw the rectangle for each frame.
            crop: Pixels of padding before a random crop; 0 leaves it out.
            enlarge: Probability of enlarging a training clip before a random crop of the old size.
            jitter: Strength of the change of brightness, contrast and saturation; 0 leaves it out.
            independent_frames: Draw all augmentations for each frame, as the released KMPNet does.
            keypoints_follow: ``False`` only to reproduce the released KMPNet, whose keypoints stay where they
                were when the image is mirrored or shifted.
            protocol: Which test tracklets ask and are searched.
            held_out_identities: Training identities kept for validation: a number, a share below 1, or 0.
            split_seed: Seed of that choice.
            workers: Loader processes; the batches do not depend on it.
            seed: Seed of everything random in training.
            strict: Refuse a tree whose counts differ from the published ones.
            on_bad_frame: ``error`` or ``skip_frame``.
            pin_memory: Copy batches to pinned memory, for a GPU.
            pack: Read frames from one file a split, which is made if it is not there.
            pack_folder: Where these files lie; by default ``<root>/packed``.

        Raises:
            ValueError: If a name is not among the choices; the sentence lists them.
        """
        super().__init__(held_out_identities, split_seed)
        check_sampling(train_sampling)
        check_layout(pose_layout or self.annotated_layout)
        check_on_bad_frame(on_bad_frame)
        if sampler not in ("random", "identity"):
            raise ValueError(f"There is no sampler {sampler!r}: choose one of random, identity.")
        self.root = Path(root)
        self.train_sampling, self.clip_length = train_sampling, clip_length
        self.test_clip_length, self.query = test_clip_length or clip_length, query
        self.sampler = sampler
        self.batch_size = batch_size if sampler == "random" else identities_per_batch * tracklets_per_identity
        self.identities_per_batch, self.tracklets_per_identity = identities_per_batch, tracklets_per_identity
        self.identity_visits = identity_visits
        self.test_batch_size = test_batch_size
        self.keypoints, self.test_keypoints, self.joints = keypoints, test_keypoints, joints
        self.pose_layout: Layout = pose_layout or self.annotated_layout
        self.protocol = protocol
        self.workers, self.seed, self.strict = workers, seed, strict
        self.on_bad_frame: OnBadFrame = on_bad_frame
        self.pin_memory = pin_memory
        self.pack, self.pack_folder = pack, Path(pack_folder or self.root / "packed")
        augmentations = training_augmentations(flip, erase, crop, jitter, erase_per_frame, enlarge)
        self.train_transform = ClipTransform(
            height, width, augmentations, joints, independent_frames, keypoints_follow
        )
        self.test_transform = ClipTransform(height, width, (), joints)
        self.evaluation = EvaluationSettings(
            self.test_transform, self.test_clip_length, test_sampling, test_max_clips, query
        )
        self.evaluation.check_protocol(find_protocol(protocol, self.protocols))

    def prepare_data(self) -> None:
        """Pack the frames, if that is asked for: of several processes, Lightning lets one go first here."""
        if self.pack:
            for split in dict.fromkeys((self.train_split, self.test_split)):
                self.frames(split)

    @property
    def validation_clips(self) -> int:
        """Entries of the flat list of validation clips: what the metric must see."""
        return len(self.validation_data())

    @property
    def test_clips(self) -> int:
        """Entries of the flat list of test clips: what the metric must see."""
        return len(self.test_data())

    def frames(self, split: str) -> FrameList:
        """Return the frames of ``train_split`` or ``test_split`` as they are read: packed, if so set."""
        frames = self._listed(split)
        if not self.pack:
            return frames
        return pack_frames(frames, self.pack_folder, split, on_bad_frame=self.on_bad_frame)

    def keypoint_source(self, split: str) -> KeypointSource:
        """Open what ``keypoints`` names for the frames of ``train_split`` or ``test_split``."""
        assert self.keypoints is not None
        return open_keypoints(self.keypoints, self.root, split, self._listed(split), self.pose_layout)

    def train_data(self) -> TrainClips:
        """Return the training clips."""
        reader = self._reader(self.train_split, with_keypoints=True)
        return TrainClips(
            self.train_table, reader, self.train_transform, self.clip_length, self.train_sampling
        )

    def validation_data(self) -> EvaluationClips:
        """Return the clips of the held-out identities, under the official protocol of MARS."""
        reader = self._reader(self.train_split, self.test_keypoints)
        # Whatever the benchmark: almost all held-out tracklets may ask, and a gallery without them be empty.
        return self.evaluation.clips(self.validation_table, PROTOCOLS["official"], reader)

    def test_data(self) -> EvaluationClips:
        """Return the clips of the test tracklets that the protocol uses."""
        reader = self._reader(self.test_split, self.test_keypoints)
        protocol = find_protocol(self.protocol, self.benchmark.protocols)
        return self.evaluation.clips(self.benchmark.test, protocol, reader)

    def train_dataloader(self) -> Loader:
        """Return the training loader; its batches follow from the seed and the epoch alone."""
        data = self.train_data()
        if self.sampler == "random":
            sampler = TrackletSampler(len(data), self.batch_size, self.seed, *self._world())
        else:
            shape = self.identities_per_batch, self.tracklets_per_identity
            sampler = IdentitySampler(data.labels, *shape, self.seed, *self._world(), self.identity_visits)
        return self._loader(data, sampler, self.batch_size, keep=True)

    def val_dataloader(self) -> Loader | list[Loader]:
        """Return the loader of the held-out identities, or no loader if there are none."""
        if self.held_out_identities == 0:
            return []
        return self._evaluation_loader(self.validation_data(), keep=True)

    def test_dataloader(self) -> Loader:
        """Return the test loader."""
        return self._evaluation_loader(self.test_data(), keep=False)

    def _listed(self, split: str) -> FrameList:
        of = self.benchmark
        return of.train_frames if split == self.train_split else of.test_frames

    def _world(self) -> tuple[int, int]:
        return (self.trainer.world_size, self.trainer.global_rank) if self.trainer is not None else (1, 0)

    def _reader(self, split: str, with_keypoints: bool) -> ClipReader:
        store = self.keypoint_source(split) if with_keypoints and self.keypoints is not None else None
        return ClipReader(self.frames(split), store, self.joints, self.on_bad_frame)

    def _evaluation_loader(self, data: EvaluationClips, keep: bool) -> Loader:
        return self._loader(data, EvaluationSampler(len(data), *self._world()), self.test_batch_size, keep)

    def _loader(self, data: ClipData, sampler: ClipSampler, batch_size: int, keep: bool) -> Loader:
        return clip_loader(data, sampler, batch_size, self.workers, self.pin_memory, keep)
