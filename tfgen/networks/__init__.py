"""Networks: functions that return built Keras functional models for any fitting shape."""

from tfgen.networks.convolutional import conv_decoder, conv_encoder
from tfgen.networks.lecture import lecture_conv_decoder, lecture_conv_encoder
from tfgen.networks.perceptron import mlp_decoder, mlp_encoder

__all__ = [
    "conv_decoder",
    "conv_encoder",
    "lecture_conv_decoder",
    "lecture_conv_encoder",
    "mlp_decoder",
    "mlp_encoder",
]
