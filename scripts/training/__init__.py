# SPDX-License-Identifier: MIT
"""Training with the simulated machine's arithmetic: see docs/training.md. The command line is scripts/train.py."""
