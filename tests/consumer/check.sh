#!/usr/bin/env bash
# Installs viand, moves the tree, and builds and runs programs against it: check.sh BUILD_FOLDER OTHER_ARROW
set -euo pipefail
build=$1
arrow=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$build/consumer
fail() { printf 'install.consumer: %s\n' "$*" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work"
cmake --build "$build" --target viand_install_tree >"$work/build.log" 2>&1 || { cat "$work/build.log"; fail "no build"; }
cmake --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/moved"
prefix=$work/moved

# What is installed asks for nothing in the build tree, and for no Arrow under its public name.
for file in "$prefix"/bin/viand "$prefix"/lib*/viand/libviand_impl.so "$prefix"/lib*/libviand.so; do
  ! readelf -d "$file" | grep -E '\[lib(arrow|parquet)|R(UN)?PATH.*\[/' || fail "$file: see the line above"
done
exported=$(nm -D --defined-only "$prefix"/lib*/viand/libviand_impl.so | awk '{ print $3 }' | sort | tr '\n' ' ')
[[ $exported == "viand_cancel_fragments_v1 viand_fragment_v1 viand_init_v1 viand_open_v1 " ]] || fail "libviand_impl.so exports $exported"

cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DOTHER_ARROW="$arrow" >"$work/configure.log"
cmake --build "$work/build"

"$prefix/bin/viand" init --template retail "$work/repo"
"$work/build/consumer" "$work/repo" | tee "$work/list"
grep -q 'customer_rfm_features' "$work/list" || fail "the consumer does not list customer_rfm_features"
if "$work/build/consumer" "$work/no-such-repo" 2>"$work/error"; then fail "a repo that does not exist was opened"; fi
grep -q 'no-such-repo' "$work/error" || fail "the error does not name the folder: $(cat "$work/error")"

# The wheel beside OTHER_ARROW writes a file for the two Arrows to read.
"$arrow/../../../../bin/python" - "$work/repo/data" <<'PYTHON'
import os, sys, pyarrow, pyarrow.parquet
os.makedirs(sys.argv[1], exist_ok=True)
pyarrow.parquet.write_table(pyarrow.table({"word": ["one", "two"], "count": [1, 2]}), sys.argv[1] + "/rows.parquet")
PYTHON
"$work/build/two_arrows" "$work/repo" | tee "$work/loaded"
