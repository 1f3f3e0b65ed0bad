#!/usr/bin/env python3
"""Rewrites MediaPipe's float TFLite networks as ONNX graphs that OpenCV 4.6 can load.

    tflite_to_onnx.py MODEL.tflite MODEL.onnx [MODEL.tflite MODEL.onnx ...]

TFLite is NHWC and ONNX is NCHW: the graph's input `input` is 1xCxHxW; its outputs `o0`, `o1`, ... keep the shape and
the element order of the TFLite outputs. Needs numpy and onnx. The same input gives the same bytes.

OpenCV 4.6 takes no `Clip` as opset 11 writes it, no padding that is computed in the graph, and only symmetric padding
in a convolution: hence `HardSigmoid`, constant pads and separate `Pad` nodes below.
"""
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import tflite
from tflite import Op

OPSET = 11
LOWEST = -3e38  # what a maximum never picks


def same_padding(size, kernel, stride, dilation=1):
    """TFLite's SAME padding along one axis, as (before, after): the odd pixel goes after."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def to_nchw(array):
    """A constant operand in channel-first order; vectors and scalars stay as they are."""
    if array.ndim == 4:
        return array.transpose(0, 3, 1, 2)
    return array.transpose(2, 0, 1) if array.ndim == 3 else array


class Graph:
    """The ONNX graph under construction: nodes in order, and constants without duplicates."""

    def __init__(self):
        self.nodes = []
        self.constants = []
        self._names = {}

    def constant(self, array, hint):
        """Adds a constant unless an equal one exists. Returns its name."""
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._names:
            self._names[key] = f"{hint}_{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, self._names[key]))
        return self._names[key]

    def node(self, kind, *inputs, **attributes):
        """Adds a node. Returns the name of its output."""
        number = len(self.nodes)
        self.nodes.append(helper.make_node(kind, inputs, [f"v{number}"], name=f"{kind}_{number}", **attributes))
        return f"v{number}"

    def rename(self, old, new):
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]

    def model(self, inputs, outputs):
        graph = helper.make_graph(self.nodes, "tflite", inputs, outputs, self.constants)
        model = helper.make_model(graph, producer_name="tflite_to_onnx", ir_version=7,
                                  opset_imports=[helper.make_opsetid("", OPSET)])
        onnx.checker.check_model(model, full_check=True)
        return model


class Converter:
    """Walks a TFLite network in order and emits the same computation."""

    def __init__(self, network):
        self._net = network
        self._graph = Graph()
        self._names = {}  # tensor number -> ONNX value; NCHW when it has four dimensions
        self._folded = {}  # tensor number -> (source tensor, pads) of a PAD that its convolutions take over
        self._handlers = {
            Op.ADD: lambda o: self._arithmetic("Add", o),
            Op.MUL: lambda o: self._arithmetic("Mul", o),
            Op.CONV: self._convolution,
            Op.DEPTHWISE_CONV: self._convolution,
            Op.MAX_POOL: self._max_pool,
            Op.AVERAGE_POOL: self._average_pool,
            Op.MEAN: self._mean,
            Op.CONCATENATION: self._concatenation,
            Op.RELU: lambda o: self._graph.node("Relu", self._value(o.inputs[0])),
            Op.RELU6: lambda o: self._relu6(self._value(o.inputs[0])),
            Op.PRELU: self._prelu,
            Op.LOGISTIC: lambda o: self._graph.node("Sigmoid", self._value(o.inputs[0])),
            Op.HARD_SWISH: self._hard_swish,
            Op.PAD: self._padding,
            Op.RESIZE_BILINEAR: self._resize,
            Op.DEPTH_TO_SPACE: self._depth_to_space,
            Op.RESHAPE: self._to_shape,
            Op.CUSTOM: self._transposed_convolution,
        }

    def convert(self):
        """Returns the checked ONNX model. @raise ValueError for a form of an operator that is not covered."""
        net = self._net
        inputs = []
        for k, tensor in enumerate(net.inputs):
            n, h, w, c = net.tensors[tensor].shape
            self._names[tensor] = f"input{k}" if k else "input"
            inputs.append(helper.make_tensor_value_info(self._names[tensor], TensorProto.FLOAT, [n, c, h, w]))
        for operator in net.operators:
            # These two act on constants only, which are dense already and widened where they are used.
            if operator.op in (Op.DEQUANTIZE, Op.DENSIFY):
                net.tensors[operator.output].values = net.tensors[operator.inputs[0]].values
                continue
            value = self._handlers[operator.op](operator)
            if value:
                self._names[operator.output] = value
        outputs = []
        for k, tensor in enumerate(net.outputs):
            shape = net.tensors[tensor].shape
            value = self._nhwc(tensor)
            if value == self._names[tensor] and len(shape) == 4:
                value = self._reshape(value, shape)
            self._graph.rename(value, f"o{k}")
            outputs.append(helper.make_tensor_value_info(f"o{k}", TensorProto.FLOAT, shape))
        return self._graph.model(inputs, outputs)

    # -- values
    def _shape(self, tensor):
        return self._net.tensors[tensor].shape

    def _constant(self, tensor):
        return self._net.tensors[tensor].values

    def _value(self, tensor):
        """The ONNX name of a tensor; a constant is added on first use."""
        if tensor not in self._names:
            self._names[tensor] = self._graph.constant(to_nchw(self._constant(tensor).astype(np.float32)), "c")
        return self._names[tensor]

    def _nhwc(self, tensor):
        """The ONNX name of a tensor in TFLite's element order."""
        value, shape = self._value(tensor), self._shape(tensor)
        if len(shape) != 4 or shape[3] == 1 or shape[1] == shape[2] == 1:
            return value
        return self._graph.node("Transpose", value, perm=[0, 2, 3, 1])

    def _reshape(self, value, shape):
        return self._graph.node("Reshape", value, self._graph.constant(np.array(shape, np.int64), "shape"))

    # -- activations
    def _activated(self, value, activation):
        """Applies what TFLite fuses into an operator: 0 none, 1 ReLU, 3 ReLU6."""
        if activation == 0:
            return value
        if activation == 1:
            return self._graph.node("Relu", value)
        if activation == 3:
            return self._relu6(value)
        raise ValueError(f"fused activation {activation} is not covered")

    def _relu6(self, value):
        unit = self._graph.node("HardSigmoid", value, alpha=1 / 6, beta=0.0)
        return self._graph.node("Mul", unit, self._graph.constant(np.float32(6), "six"))

    def _hard_swish(self, operator):
        value = self._value(operator.inputs[0])
        gate = self._graph.node("HardSigmoid", value, alpha=1 / 6, beta=0.5)
        return self._graph.node("Mul", value, gate)

    def _prelu(self, operator):
        value, slope = self._value(operator.inputs[0]), self._constant(operator.inputs[1])
        slope = self._graph.constant(slope.astype(np.float32).reshape(-1, 1, 1), "slope")
        return self._graph.node("PRelu", value, slope)

    # -- padding
    def _pad(self, value, pads, channels=(0, 0), fill=0.0):
        """`pads` are top, left, bottom, right."""
        top, left, bottom, right = pads
        amounts = np.array([0, channels[0], top, left, 0, channels[1], bottom, right], np.int64)
        amounts = self._graph.constant(amounts, "pads")
        return self._graph.node("Pad", value, amounts, self._graph.constant(np.array(fill, np.float32), "fill"),
                                mode="constant")

    def _window_pads(self, tensor, kernel_h, kernel_w, options):
        """What a window over the tensor is padded by: top, left, bottom, right."""
        if options.valid:
            return [0, 0, 0, 0]
        _, height, width, _ = self._shape(tensor)
        dilation_h, dilation_w = getattr(options, "dilation_h", 1), getattr(options, "dilation_w", 1)
        top, bottom = same_padding(height, kernel_h, options.stride_h, dilation_h)
        left, right = same_padding(width, kernel_w, options.stride_w, dilation_w)
        return [top, left, bottom, right]

    def _padding(self, operator):
        source, out = operator.inputs[0], operator.output
        batch, (top, bottom), (left, right), channels = self._constant(operator.inputs[1]).tolist()
        if batch != [0, 0]:
            raise ValueError("padding of the batch is not covered")
        pads = [top, left, bottom, right]
        # Convolutions without padding of their own can take it over, which saves a copy of the image.
        users = [user for user in self._net.operators if out in user.inputs]
        foldable = all(user.op in (Op.CONV, Op.DEPTHWISE_CONV) and user.options.valid == 1 for user in users)
        if foldable and channels == [0, 0] and out not in self._net.outputs:
            self._folded[out] = (source, pads)
            return None
        return self._pad(self._value(source), pads, channels)

    # -- windows
    def _convolution(self, operator):
        source, options = operator.inputs[0], operator.options
        depthwise = operator.op == Op.DEPTHWISE_CONV
        # TFLite keeps [out, h, w, in], depthwise [1, h, w, out].
        kernel = self._constant(operator.inputs[1]).astype(np.float32)
        kernel = kernel.transpose(3, 0, 1, 2) if depthwise else kernel.transpose(0, 3, 1, 2)
        kernel_h, kernel_w = kernel.shape[2:]
        if source in self._folded:
            source, pads = self._folded[source]
        else:
            pads = self._window_pads(source, kernel_h, kernel_w, options)
        value = self._value(source)
        if pads[:2] != pads[2:]:
            value, pads = self._pad(value, pads), [0, 0, 0, 0]
        operands = [value, self._graph.constant(kernel, "w")]
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            operands.append(self._graph.constant(self._constant(operator.inputs[2]).astype(np.float32), "b"))
        result = self._graph.node("Conv", *operands, kernel_shape=[kernel_h, kernel_w],
                                  strides=[options.stride_h, options.stride_w],
                                  dilations=[options.dilation_h, options.dilation_w], pads=pads,
                                  group=self._shape(source)[3] if depthwise else 1)
        return self._activated(result, options.activation)

    def _transposed_convolution(self, operator):
        """MediaPipe's own operator; its options begin with padding, stride width and stride height."""
        if operator.custom != "Convolution2DTransposeBias":
            raise ValueError(f"custom operator {operator.custom} is not covered")
        _, stride_w, stride_h = struct.unpack_from("<3i", operator.custom_options)
        kernel = self._constant(operator.inputs[1]).astype(np.float32)
        if kernel.shape[1:3] != (stride_h, stride_w):
            raise ValueError("a transposed convolution whose windows overlap is not covered")
        bias = self._graph.constant(self._constant(operator.inputs[2]).astype(np.float32), "b")
        value, kernel = self._value(operator.inputs[0]), self._graph.constant(kernel.transpose(3, 0, 1, 2), "w")
        return self._graph.node("ConvTranspose", value, kernel, bias, kernel_shape=[stride_h, stride_w],
                                strides=[stride_h, stride_w])

    def _max_pool(self, operator):
        source, options = operator.inputs[0], operator.options
        value = self._value(source)
        pads = self._window_pads(source, options.filter_h, options.filter_w, options)
        if any(pads):
            value = self._pad(value, pads, fill=LOWEST)
        return self._pool("MaxPool", value, options)

    def _average_pool(self, operator):
        source, options = operator.inputs[0], operator.options
        value = self._value(source)
        if any(self._window_pads(source, options.filter_h, options.filter_w, options)):
            raise ValueError("a padded average pool is not covered")
        if [options.filter_h, options.filter_w] == self._shape(source)[1:3]:
            return self._activated(self._graph.node("GlobalAveragePool", value), options.activation)
        return self._pool("AveragePool", value, options)

    def _pool(self, kind, value, options):
        value = self._graph.node(kind, value, kernel_shape=[options.filter_h, options.filter_w],
                                 strides=[options.stride_h, options.stride_w])
        return self._activated(value, options.activation)

    # -- the rest
    def _arithmetic(self, kind, operator):
        operands = [self._value(tensor) for tensor in operator.inputs]
        return self._activated(self._graph.node(kind, *operands), operator.options.activation)

    def _mean(self, operator):
        if sorted(self._constant(operator.inputs[1]).ravel().tolist()) != [1, 2]:
            raise ValueError("a mean over other axes than height and width is not covered")
        return self._graph.node("GlobalAveragePool", self._value(operator.inputs[0]))

    def _concatenation(self, operator):
        rank = len(self._shape(operator.output))
        axis = operator.options.axis % rank
        if rank == 4:
            axis = (0, 2, 3, 1)[axis]
        return self._graph.node("Concat", *[self._value(tensor) for tensor in operator.inputs], axis=axis)

    def _resize(self, operator):
        options = operator.options
        height, width = self._constant(operator.inputs[1]).tolist()
        _, old_height, old_width, _ = self._shape(operator.inputs[0])
        scales = np.array([1, 1, height / old_height, width / old_width], np.float32)
        scales = self._graph.constant(scales, "scales")
        region = self._graph.constant(np.empty(0, np.float32), "roi")
        grid = "align_corners" if options.align_corners else "half_pixel" if options.half_pixel else "asymmetric"
        return self._graph.node("Resize", self._value(operator.inputs[0]), region, scales, mode="linear",
                                coordinate_transformation_mode=grid)

    def _depth_to_space(self, operator):
        return self._graph.node("DepthToSpace", self._value(operator.inputs[0]), blocksize=operator.options.block,
                                mode="DCR")

    def _to_shape(self, operator):
        shape = self._shape(operator.output)
        if len(shape) == 4:
            raise ValueError("a reshape to an image is not covered")
        return self._reshape(self._nhwc(operator.inputs[0]), shape)


def main(arguments):
    if not arguments or len(arguments) % 2:
        sys.exit(__doc__)
    for source, target in zip(arguments[::2], arguments[1::2]):
        with open(source, "rb") as file:
            onnx.save(Converter(tflite.read(file.read())).convert(), target)


if __name__ == "__main__":
    main(sys.argv[1:])
