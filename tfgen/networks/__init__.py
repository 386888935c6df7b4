"""Networks: functions that return built Keras functional models for any fitting shape."""

from tfgen.networks.conditional import (
    condition_decoder,
    condition_discriminator,
    condition_encoder,
    condition_generator,
    projection_discriminator,
)
from tfgen.networks.convolutional import conv_decoder, conv_encoder
from tfgen.networks.dcgan import dcgan_discriminator, dcgan_generator, spectrally_normalized
from tfgen.networks.diffusion import diffusion_mlp, diffusion_unet
from tfgen.networks.info_gan import (
    info_gan_autoencoder,
    info_gan_discriminator,
    info_gan_generator,
)
from tfgen.networks.ladder import ladder_networks
from tfgen.networks.lecture import lecture_conv_decoder, lecture_conv_encoder
from tfgen.networks.masked_convolutions import gated_pixel_cnn, pixel_cnn
from tfgen.networks.masked_perceptron import made
from tfgen.networks.patch_gan import patch_gan_discriminator
from tfgen.networks.perceptron import (
    maxout_discriminator,
    mlp_decoder,
    mlp_discriminator,
    mlp_encoder,
    mlp_generator,
)
from tfgen.networks.pixel_attention import pixel_snail
from tfgen.networks.pixel_rnn import diagonal_bilstm, row_lstm
from tfgen.networks.shifted_convolutions import pixel_cnn_plus_plus
from tfgen.networks.top_down import top_down_networks
from tfgen.networks.transformer import text_transformer, vision_transformer
from tfgen.networks.translation import resnet_generator, unet_generator
from tfgen.networks.vq_vae import vq_decoder, vq_encoder

__all__ = [
    "condition_decoder",
    "condition_discriminator",
    "condition_encoder",
    "condition_generator",
    "conv_decoder",
    "conv_encoder",
    "dcgan_discriminator",
    "dcgan_generator",
    "diagonal_bilstm",
    "diffusion_mlp",
    "diffusion_unet",
    "gated_pixel_cnn",
    "info_gan_autoencoder",
    "info_gan_discriminator",
    "info_gan_generator",
    "ladder_networks",
    "lecture_conv_decoder",
    "lecture_conv_encoder",
    "made",
    "maxout_discriminator",
    "mlp_decoder",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "patch_gan_discriminator",
    "pixel_cnn",
    "pixel_cnn_plus_plus",
    "pixel_snail",
    "projection_discriminator",
    "resnet_generator",
    "row_lstm",
    "spectrally_normalized",
    "text_transformer",
    "top_down_networks",
    "unet_generator",
    "vision_transformer",
    "vq_decoder",
    "vq_encoder",
]
