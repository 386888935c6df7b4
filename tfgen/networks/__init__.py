"""Networks: functions that return built Keras functional models for any fitting shape."""

from tfgen.networks.convolutional import conv_decoder, conv_encoder
from tfgen.networks.info_gan import (
    info_gan_discriminator,
    info_gan_discriminator_and_recognition,
    info_gan_generator,
)
from tfgen.networks.lecture import lecture_conv_decoder, lecture_conv_encoder
from tfgen.networks.perceptron import mlp_decoder, mlp_encoder

__all__ = [
    "conv_decoder",
    "conv_encoder",
    "info_gan_discriminator",
    "info_gan_discriminator_and_recognition",
    "info_gan_generator",
    "lecture_conv_decoder",
    "lecture_conv_encoder",
    "mlp_decoder",
    "mlp_encoder",
]
