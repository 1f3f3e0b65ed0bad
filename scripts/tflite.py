"""Reads a float TFLite file into plain Python values, without TensorFlow.

A TFLite file is a flatbuffer; the field numbers below are those of TensorFlow's schema.fbs. Only what MediaPipe's
face networks use is covered: float32 and float16 weights, sparse weights, and the operators listed in `Op`.
"""
import struct
from dataclasses import dataclass
from enum import IntEnum
from types import SimpleNamespace

import numpy as np


class Op(IntEnum):
    """The operators that are understood, by their number in schema.fbs."""
    ADD = 0
    AVERAGE_POOL = 1
    CONCATENATION = 2
    CONV = 3
    DEPTHWISE_CONV = 4
    DEPTH_TO_SPACE = 5
    DEQUANTIZE = 6
    LOGISTIC = 14
    MAX_POOL = 17
    MUL = 18
    RELU = 19
    RELU6 = 21
    RESHAPE = 22
    RESIZE_BILINEAR = 23
    CUSTOM = 32
    PAD = 34
    MEAN = 40
    PRELU = 54
    HARD_SWISH = 117
    DENSIFY = 124


# What an operator's options table holds, in schema order: (name, struct format, default).
WINDOW = (("valid", "b", 0), ("stride_w", "i", 1), ("stride_h", "i", 1))
DILATION = (("dilation_w", "i", 1), ("dilation_h", "i", 1))
ACTIVATION = (("activation", "b", 0),)
OPTIONS = {
    Op.ADD: ACTIVATION,
    Op.MUL: ACTIVATION,
    Op.CONV: WINDOW + ACTIVATION + DILATION,
    Op.DEPTHWISE_CONV: WINDOW + (("multiplier", "i", 0),) + ACTIVATION + DILATION,
    Op.AVERAGE_POOL: WINDOW + (("filter_w", "i", 1), ("filter_h", "i", 1)) + ACTIVATION,
    Op.MAX_POOL: WINDOW + (("filter_w", "i", 1), ("filter_h", "i", 1)) + ACTIVATION,
    Op.CONCATENATION: (("axis", "i", 0),),
    Op.DEPTH_TO_SPACE: (("block", "i", 0),),
    Op.RESIZE_BILINEAR: (("new_height", "i", 0), ("new_width", "i", 0), ("align_corners", "b", 0),
                         ("half_pixel", "b", 0)),
}
DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64}


@dataclass
class Tensor:
    shape: list  # NHWC
    values: np.ndarray | None  # None for what is computed


@dataclass
class Operator:
    op: Op
    custom: str  # the name of a custom operator
    inputs: list  # tensor numbers; -1 for an absent one
    output: int
    options: SimpleNamespace
    custom_options: bytes


@dataclass
class Network:
    tensors: list
    operators: list
    inputs: list
    outputs: list


class Table:
    """A flatbuffer table; its fields are addressed by their number in the schema."""

    def __init__(self, data, position):
        self._data = data
        self._position = position
        self._vtable = position - self._unpack("i", position)
        self._count = (self._unpack("H", self._vtable) - 4) // 2

    def number(self, field, fmt, default=0):
        position = self._find(field)
        return self._unpack(fmt, position) if position else default

    def table(self, field):
        position = self._find(field)
        return Table(self._data, self._follow(position)) if position else None

    def tables(self, field):
        start, count = self._vector(field)
        return [Table(self._data, self._follow(start + 4 * i)) for i in range(count)]

    def array(self, field, dtype):
        start, count = self._vector(field)
        return np.frombuffer(self._data, dtype, count, start) if count else np.empty(0, dtype)

    def integers(self, field):
        return self.array(field, "<i4").tolist()

    def text(self, field):
        return self.array(field, np.uint8).tobytes().decode()

    def _unpack(self, fmt, position):
        return struct.unpack_from("<" + fmt, self._data, position)[0]

    def _find(self, field):
        """Where the field lies, or 0 when it is absent."""
        if field >= self._count:
            return 0
        offset = self._unpack("H", self._vtable + 4 + 2 * field)
        return self._position + offset if offset else 0

    def _follow(self, position):
        return position + self._unpack("I", position)

    def _vector(self, field):
        position = self._find(field)
        if not position:
            return 0, 0
        start = self._follow(position)
        return start + 4, self._unpack("I", start)


def densify(values, shape, sparsity):
    """Expands the sparse storage of a tensor.

    The storage is a tree with one level for each dimension in traversal order (after the dimensions of the tensor
    those of its blocks, if any). A dense level has all children; a compressed one lists its children as
    `indices[segments[parent]:segments[parent + 1]]`. The leaves are the stored values, in order.
    """
    order = sparsity.integers(0)
    block_map = sparsity.integers(1)
    extent = [1] * len(order)
    leaf = np.zeros(1, np.int64)
    coordinate = np.zeros((len(order), 1), np.int64)
    for dimension, level in zip(order, sparsity.tables(2)):
        if level.number(0, "b") == 0:
            extent[dimension] = level.number(1, "i")
            children = np.full(len(leaf), extent[dimension])
            own = np.tile(np.arange(extent[dimension]), len(leaf))
            leaf = np.repeat(leaf * extent[dimension], children) + own
        else:
            segments, indices = _level_array(level, 2), _level_array(level, 4)
            first, last = segments[leaf], segments[leaf + 1]
            children = last - first
            leaf = np.concatenate([np.arange(a, b) for a, b in zip(first, last)])
            own = indices[leaf]
        coordinate = np.repeat(coordinate, children, axis=1)
        coordinate[dimension] = own
    # A blocked dimension's coordinate is that of its block, plus the place inside the block.
    rank = len(shape)
    for block, dimension in enumerate(block_map):
        coordinate[dimension] = coordinate[dimension] * extent[rank + block] + coordinate[rank + block]
    dense = np.zeros(shape, values.dtype)
    dense[tuple(coordinate[:rank])] = values[leaf]
    return dense


def _level_array(level, field):
    """A vector of a compressed level; the schema stores its integer type in the field before it."""
    dtype = {1: "<i4", 2: "<u2", 3: "u1"}[level.number(field, "B")]
    return level.table(field + 1).array(0, dtype).astype(np.int64)


def read(data):
    """Reads the first graph of a TFLite file.

    @raise ValueError for an operator that is not in `Op`.
    """
    model = Table(data, struct.unpack_from("<I", data)[0])
    buffers = model.tables(4)
    graph = model.tables(2)[0]
    codes = [_code(table) for table in model.tables(1)]
    return Network(tensors=[_tensor(table, buffers) for table in graph.tables(0)],
                   operators=[_operator(table, codes) for table in graph.tables(3)],
                   inputs=graph.integers(1),
                   outputs=graph.integers(2))


def _code(table):
    # Older writers fill the byte, newer ones the integer; the larger one counts.
    number = max(table.number(0, "b"), table.number(3, "i"))
    try:
        return Op(number), table.text(1)
    except ValueError as unknown:
        raise ValueError(f"operator {number} is not understood") from unknown


def _tensor(table, buffers):
    shape = table.integers(0)
    raw = buffers[table.number(2, "I")].array(0, np.uint8)
    if len(raw) == 0:
        return Tensor(shape, None)
    values = np.frombuffer(raw.tobytes(), DTYPES[table.number(1, "b")])
    sparsity = table.table(6)
    return Tensor(shape, densify(values, shape, sparsity) if sparsity else values.reshape(shape))


def _operator(table, codes):
    op, custom = codes[table.number(0, "I")]
    options = table.table(4)
    fields = {name: options.number(i, fmt, default) if options else default
              for i, (name, fmt, default) in enumerate(OPTIONS.get(op, ()))}
    return Operator(op, custom, table.integers(1), table.integers(2)[0], SimpleNamespace(**fields),
                    table.array(5, np.uint8).tobytes())
