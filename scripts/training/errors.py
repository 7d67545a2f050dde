# SPDX-License-Identifier: MIT
"""What can go wrong that is not a mistake of ours."""


class InputError(Exception):
    """The user's file or flag: says where, what was expected and what was found. Exit code 2."""


class Diverged(Exception):
    """Numbers that are no longer finite, in a place where training cannot go on. Exit code 1."""
