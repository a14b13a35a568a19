"""What calls of Keras (alone or in TensorFlow), tf.data and TensorFlow Datasets mean."""

from __future__ import annotations

from tinyproof.check.code.library.facts.fact import (
    NO_POSITION,
    Chooses,
    Compares,
    Fact,
    Fits,
    Joins,
    Keeps,
    Makes,
    Measures,
    Predicts,
    Saves,
    Splits,
)

_LOAD = "from tensorflow import keras\n(a, b), (c, d) = keras.datasets.mnist.load_data()\n"
_NET = _LOAD + "net = keras.Sequential([keras.layers.Dense(10)])\n"
_IMAGES = "from tensorflow.keras.preprocessing.image import ImageDataGenerator\ngen = ImageDataGenerator()\n"
_MODELS = ("keras.*", "transformers.TF*")

FACTS: tuple[Fact, ...] = (
    Compares(
        ("keras.metrics.*",),
        methods=("__call__",),
        example=_NET + "net.fit(a, b)\nshare = keras.metrics.CategoricalAccuracy()\nshare(d, net.predict(c))",
        expect=("__call__ on the test set",),
    ),
    Makes(
        ("keras.datasets.*.load_data",),
        gives=(("train x", "train y"), ("test x", "test y")),
        example=_LOAD,
        expect=("a: the training set", "d: the test set"),
    ),
    Makes(
        ("tensorflow.examples.tutorials.mnist.input_data.read_data_sets",),
        gives={"train": "train both", "validation": "validation both", "test": "test both"},
        example="from tensorflow.examples.tutorials.mnist import input_data\nmnist = input_data.read_data_sets('d')\n"
        "a = mnist.test.images",
        expect=("a: the test set",),
    ),
    Makes(
        ("keras.*image_dataset_from_directory", "keras.*text_dataset_from_directory"),
        form="folder",
        source=("directory", 0),
        subset=("subset", NO_POSITION),
        share=("validation_split", NO_POSITION),
        example="import tensorflow as tf\nload = tf.keras.utils.image_dataset_from_directory\n"
        "a = load('pets', validation_split=0.2, subset='training', seed=1)\n"
        "b = load('pets', validation_split=0.2, subset='validation', seed=1)",
        expect=("a: the training part of the folder pets", "b: the held-out part of the folder pets"),
    ),
    Makes(
        ("keras.*ImageDataGenerator",),
        methods=("flow_from_directory",),
        form="folder",
        source=("directory", 0),
        subset=("subset", NO_POSITION),
        example=_IMAGES + "a = gen.flow_from_directory('pets/test')",
        expect=("a: the folder pets/test",),
    ),
    Keeps(
        ("keras.*ImageDataGenerator",),
        methods=("flow", "flow_from_dataframe"),
        side="both",
        subset=("subset", NO_POSITION),
        example=_LOAD + _IMAGES + "e = gen.flow(a, b, batch_size=32)",
        expect=("e: the training set",),
    ),
    Keeps(
        (
            "keras.*to_categorical",
            "keras.*normalize",
            "keras.*pad_sequences",
            "keras.*preprocess_input",
            "tensorflow.data.Dataset.from_tensors",
            "tensorflow.data.Dataset.from_tensor_slices",
        ),
        example=_LOAD + "import tensorflow as tf\ne = keras.utils.to_categorical(d)\n"
        "f = tf.data.Dataset.from_tensor_slices((c, d)).batch(8)",
        expect=("e: the test set", "f: the test set"),
    ),
    Keeps(
        ("keras.*Tokenizer", "keras.*TextVectorization"),
        methods=("texts_to_sequences", "texts_to_matrix", "sequences_to_matrix"),
        example=_LOAD + "t = keras.preprocessing.text.Tokenizer()\ne = t.sequences_to_matrix(c)",
        expect=("e: the test set",),
    ),
    Makes(
        ("tensorflow_datasets.load",),
        source=("name", 0),
        part=("split", 1),
        example="import tensorflow_datasets as tfds\n"
        "(a, b), info = tfds.load('mnist', split=['train', 'test'], as_supervised=True, with_info=True)\n"
        "c = tfds.load('mnist', split='train[:80%]')\nd = tfds.load('mnist')['test']",
        expect=("b: the test set", "c: a part of the training set", "d: the test set"),
    ),
    Fits(
        _MODELS,
        methods=("fit", "train_on_batch"),
        x=("x", 0),
        validation=("validation_data", NO_POSITION),
        share=("validation_split", NO_POSITION),
        callbacks=("callbacks", NO_POSITION),
        example=_NET + "net.fit(a, b, epochs=3, validation_data=(c, d))",
        expect=("fit on the training set, validated on the test set",),
    ),
    Fits(
        _MODELS,
        methods=("fit_generator",),
        x=("generator", 0),
        validation=("validation_data", NO_POSITION),
        callbacks=("callbacks", NO_POSITION),
        example=_NET + _IMAGES + "net.fit_generator(generator=gen.flow(a, b), validation_data=gen.flow(c, d))",
        expect=("fit_generator on the training set, validated on the test set",),
    ),
    Predicts(
        _MODELS,
        methods=(
            "predict",
            "predict_classes",
            "predict_proba",
            "predict_on_batch",
            "predict_generator",
            "predict_step",
            "__call__",
        ),
        example=_NET + "import numpy as np\nnet.fit(a, b)\nguess = np.argmax(net.predict(c), axis=1)\n"
        "accuracy = np.mean(guess == d)",
        expect=("fit on the training set", "== on the test set"),
    ),
    Measures(
        _MODELS,
        methods=("evaluate", "evaluate_generator", "test_on_batch"),
        x=("x", 0),
        figures=("loss", "accuracy"),
        example=_NET + "net.fit(a, b)\nloss, accuracy = net.evaluate(c, d)",
        expect=("fit on the training set", "evaluate on the test set"),
    ),
    Measures(
        ("keras.wrappers.*", "scikeras.*"),
        methods=("score",),
        x=("x", 0),
        example=_LOAD
        + "from keras.wrappers.scikit_learn import KerasClassifier\nnet = KerasClassifier(build_fn=None)\n"
        "net.fit(a, b)\nprint(net.score(c, d))",
        expect=("fit on the training set", "score on the test set"),
    ),
    Chooses(
        ("keras.callbacks.EarlyStopping",),
        what="the epoch",
        argument=("monitor", 0),
        monitor="val_loss",
        example=_NET + "stop = keras.callbacks.EarlyStopping(patience=2)\n"
        "net.fit(a, b, validation_data=(c, d), callbacks=[stop])",
        expect=("EarlyStopping chooses the epoch on the test set",),
    ),
    Chooses(
        ("keras.callbacks.ModelCheckpoint",),
        what="the checkpoint",
        when="save_best_only",
        argument=("monitor", 1),
        monitor="val_loss",
        example=_NET + "best = keras.callbacks.ModelCheckpoint('best.keras', save_best_only=True)\n"
        "net.fit(a, b, validation_data=(c, d), callbacks=[best])",
        expect=("ModelCheckpoint chooses the checkpoint on the test set",),
    ),
    Chooses(
        ("keras.callbacks.ReduceLROnPlateau",),
        what="the learning rate",
        argument=("monitor", 0),
        monitor="val_loss",
        example=_NET + "slow = keras.callbacks.ReduceLROnPlateau()\n"
        "net.fit(a, b, validation_data=(c, d), callbacks=[slow])",
        expect=("ReduceLROnPlateau chooses the learning rate on the test set",),
    ),
    Makes(
        ("tensorflow_datasets.builder",),
        methods=("as_dataset",),
        part=("split", 0),
        example="import tensorflow_datasets as tfds\ndigits = tfds.builder('mnist')\n"
        "a = tfds.as_numpy(digits.as_dataset(split='test', batch_size=-1))",
        expect=("a: the test set",),
    ),
    Keeps(
        ("tensorflow_datasets.as_numpy",),
        example="import tensorflow_datasets as tfds\na = tfds.as_numpy(tfds.load('mnist', split='test'))",
        expect=("a: the test set",),
    ),
    Saves(
        _MODELS,
        methods=("save", "save_weights"),
        file=("filepath", 0),
        example=_NET + "net.save('net.keras')\nagain = keras.models.load_model('net.keras')\nagain.evaluate(c, d)",
        expect=("saved in net.keras", "evaluate on the test set"),
    ),
    Saves(
        ("keras.*load_model",),
        file=("filepath", 0),
        reads=True,
        example=_NET + "net.save('net.keras')\nagain = keras.models.load_model('net.keras')\nagain.evaluate(c, d)",
        expect=("saved in net.keras", "evaluate on the test set"),
    ),
    Joins(
        ("tensorflow.concat",),
        axis=("axis", 1),
        example=_LOAD + "import tensorflow as tf\ne = tf.concat([a, c], axis=0)",
        expect=("e: the training set and the test set",),
    ),
    Splits(
        ("keras.utils.split_dataset",),
        example="import tensorflow as tf\nall_of_it = tf.keras.utils.image_dataset_from_directory('pets')\n"
        "a, b = tf.keras.utils.split_dataset(all_of_it, left_size=0.8)",
        expect=("a: the training part of the folder pets", "b: the held-out part of the folder pets"),
    ),
)
