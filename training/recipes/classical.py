"""Classical densities: what the lecture compares deep generative models with.

What they can choose was chosen on the training images of "embedded" alone. 80 principal components
keep 90 % of these images' variance, and are the same for both recipes that take some, so that
their log-likelihoods can be compared.
"""

import tfgen
from tfgen import densities
from training.recipes.recipe import recipe


@recipe(data="embedded")
def gaussian_fashion(shape, steps):
    """The normal distribution of maximum likelihood, over all pixels."""
    return tfgen.DensityModel(shape, densities.Gaussian())


@recipe(data="embedded")
def mixture_fashion(shape, steps):
    """A mixture of 20 normal distributions with full covariances, in 80 principal components.

    Of 5, 10, 20, 30 and 50, estimated on 8,000 training images, 20 are likeliest on the others.
    """
    return tfgen.DensityModel(shape, densities.GaussianMixture(20), dimensions=80)


@recipe(data="embedded")
def kde_fashion(shape, steps):
    """Normal kernels around all training images, in 80 principal components.

    The bandwidth is, to 0.02, the likeliest in five-fold cross-validation, as in scikit-learn's
    example.
    """
    return tfgen.DensityModel(shape, densities.KernelDensity(0.34), dimensions=80)


@recipe(data="digits")
def kde_digits(shape, steps):
    """The lecture's example: normal kernels in 15 principal components of 8x8 digits.

    It is scikit-learn's example "Kernel Density Estimation", whose bandwidth of 3.79 is in the
    data's units of 0 to 16; here pixels are in [0, 1].
    """
    return tfgen.DensityModel(shape, densities.KernelDensity(3.79 / 16), dimensions=15)
