"""Which of several modules that were imported whole a name is of: names that people use, by their modules."""

from __future__ import annotations

from tinyproof.core.word_sets import words

_NAMES: dict[str, frozenset[str]] = {
    "torch.nn": words(
        """
        Module Linear Conv1d Conv2d Conv3d ConvTranspose2d Sequential ModuleList ModuleDict ReLU LeakyReLU ELU GELU SiLU
        PReLU Sigmoid Tanh Softmax LogSoftmax Dropout Dropout2d BatchNorm1d BatchNorm2d LayerNorm GroupNorm MaxPool2d
        AvgPool2d AdaptiveAvgPool2d Flatten Embedding RNN LSTM GRU RNNCell LSTMCell GRUCell Transformer Upsample
        TransformerEncoder TransformerEncoderLayer MultiheadAttention Parameter Identity CrossEntropyLoss NLLLoss
        MSELoss L1Loss BCELoss BCEWithLogitsLoss SmoothL1Loss KLDivLoss init functional DataParallel
        """
    ),
    "torch.optim": words("SGD Adam AdamW Adagrad Adadelta Adamax RMSprop LBFGS NAdam Rprop lr_scheduler Optimizer"),
    "torch.optim.lr_scheduler": words(
        "StepLR MultiStepLR ExponentialLR CosineAnnealingLR ReduceLROnPlateau OneCycleLR LambdaLR CyclicLR"
    ),
    "torch.utils.data": words(
        """
        DataLoader Dataset TensorDataset ConcatDataset Subset random_split Sampler RandomSampler SequentialSampler
        SubsetRandomSampler WeightedRandomSampler BatchSampler IterableDataset
        """
    ),
    "torchvision.datasets": words(
        """
        MNIST FashionMNIST KMNIST EMNIST CIFAR10 CIFAR100 SVHN STL10 ImageFolder DatasetFolder CelebA Flowers102 Food101
        OxfordIIITPet VOCSegmentation VOCDetection ImageNet Caltech101 EuroSAT
        """
    ),
    "torchvision.transforms": words(
        """
        Compose ToTensor Normalize Resize CenterCrop RandomCrop RandomResizedCrop RandomHorizontalFlip Grayscale
        RandomVerticalFlip RandomRotation RandomAffine ColorJitter Pad ToPILImage Lambda RandomErasing
        """
    ),
    "torchvision": words("datasets transforms models"),
    "torch.nn.functional": words(
        """
        relu softmax log_softmax cross_entropy nll_loss mse_loss l1_loss binary_cross_entropy max_pool2d avg_pool2d
        binary_cross_entropy_with_logits dropout leaky_relu gelu elu one_hot interpolate adaptive_avg_pool2d
        """
    ),
    "torch": words(
        "nn optim Tensor tensor FloatTensor LongTensor no_grad manual_seed device randn from_numpy autograd"
    ),
    "torch.autograd": words("Variable grad"),
    "numpy": words("array arange linspace zeros ones load loadtxt genfromtxt vstack hstack concatenate random"),
    "tqdm": words("tqdm trange tqdm_notebook"),
}


def module_of(name: str, stars: list[str]) -> str:
    """The module, of those imported whole (the last one last), that a name is of.

    >>> module_of("DataLoader", ["torch.utils.data", "torch.nn"]), module_of("Linear", ["torch.nn", "math"])
    ('torch.utils.data', 'torch.nn')
    >>> module_of("floor", ["math", "torch.nn"]), module_of("mine", ["a", "b"])
    ('math', 'b')
    """
    holding = [star for star in stars if name in _NAMES.get(star, ())]
    if holding:
        return holding[-1]
    home = any(name in names for names in _NAMES.values())
    open_ones = [star for star in stars if star not in _NAMES]
    return open_ones[-1] if len(open_ones) == 1 and not home else stars[-1]
