#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetches the data sets of scripts/train.py from where their authors publish them, and says what flags they need.

    download_data.py DIR [NAME ...]       names: cifar10 mnist speech text; all without

Files that are there already are checked and kept. Exit codes: 0 good; 2 a file could not be fetched, or is not the
one that it should be.
"""

import argparse
import hashlib
import os
import pathlib
import sys
import tarfile
import urllib.error
import urllib.request

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
# Name: (address, SHA-256 or None where none is known to us, the flags of train.py).
# CIFAR-10: also in tensorflow/datasets, url_checksums. MNIST: mirror of yann.lecun.com/exdb/mnist by PyTorch's authors.
SETS = {
    "cifar10": [("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                 "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                 "--cifar10-train {dir}/cifar-10-batches-bin/data_batch_*.bin "
                 "--cifar10-test {dir}/cifar-10-batches-bin/test_batch.bin")],
    "mnist": [(_MNIST + "t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
               "--mnist-images {dir}/t10k-images-idx3-ubyte.gz"),
              (_MNIST + "t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
               "--mnist-labels {dir}/t10k-labels-idx1-ubyte.gz")],
    "speech": [("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz", None,
                "--speech {dir}/v1.0.10.tar.gz")],
    "text": [("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
              "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", "--text {dir}/input.txt")],
}
_UNPACKED = {"cifar10"}


class DownloadError(Exception):
    pass


def fetch(address, expected, path):
    """The file at `path`, fetched if it is not there; written under another name and renamed when it is whole."""
    if not path.exists():
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            with urllib.request.urlopen(address, timeout=60) as source, open(temporary, "wb") as target:
                while block := source.read(1 << 20):
                    target.write(block)
            check(temporary, expected, address)
            os.replace(temporary, path)
        except (urllib.error.URLError, OSError) as error:
            raise DownloadError(f"{address}: {getattr(error, 'reason', error)}") from error
        finally:
            temporary.unlink(missing_ok=True)
    else:
        check(path, expected, path)


def check(path, expected, where):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if expected is None:
        print(f"{where}: SHA-256 {digest} (none known to compare with)")
    elif digest != expected:
        raise DownloadError(f"{where}: expected SHA-256 {expected}, found {digest}")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(SETS))
    arguments = parser.parse_args(argv)
    for name in arguments.names:
        if name not in SETS:
            parser.error(f"unknown data set '{name}': expected {', '.join(SETS)}")
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or SETS:
        for address, expected, flags in SETS[name]:
            path = arguments.directory / address.rpartition("/")[2]
            fetch(address, expected, path)
            if name in _UNPACKED:
                with tarfile.open(path) as archive:
                    archive.extractall(arguments.directory, members=[
                        member for member in archive if member.isfile() and member.name.endswith(".bin")
                        and ".." not in member.name and not member.name.startswith("/")])
            print(f"{name}: {flags.format(dir=arguments.directory)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DownloadError as error:
        sys.stderr.write(f"download_data.py: error: {error}\n")
        sys.exit(2)
