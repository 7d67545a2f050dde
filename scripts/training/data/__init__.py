# SPDX-License-Identifier: MIT
"""Readers of data sets, from the files that their authors publish to NumPy arrays. All problems are InputErrors that
name the file, where in it, what was expected and what was found."""
