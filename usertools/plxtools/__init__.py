# SPDX-License-Identifier: BSD-3-Clause
"""What plx-bind, plx-hugepages and plx-doctor share. Private to them: no interface for other programs."""
