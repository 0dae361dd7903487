#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh PROGRAM SOURCE-DIR NAME BUILD-DIR: the corpus of a fuzz target and 200,000 inputs made from
# it, the same each time. What it finds stays in BUILD-DIR.
set -eu
program=$1 source=$2 name=$3 build=$4
mkdir -p "$build/found-$name"
rm -f "$build/found-$name"/*
exec "$program" -seed=1 -runs=200000 -max_len=5000 -dict="$source/$name.dict" \
	-artifact_prefix="$build/found-$name/" -verbosity=0 "$build/found-$name" "$source/corpus/$name"
