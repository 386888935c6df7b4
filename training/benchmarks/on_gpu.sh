#!/usr/bin/env bash
# Measures on a machine with one GPU what the guide "GPUs" lists as not measured, in some ten minutes.
#   $ bash training/benchmarks/on_gpu.sh FOLDER          (in the project's checkout)
# Every part has a time limit, writes to a file of its own in FOLDER, and may fail without the others.
# PYTHON names another Python than python3.
set -uo pipefail
folder=$1 python=${PYTHON:-python3}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
export TF_FORCE_GPU_ALLOW_GROWTH=true

part() {  # NAME SECONDS COMMAND...
  local name=$1 seconds=$2 begin=$SECONDS
  shift 2
  timeout "$seconds" "$@" > "$folder/$name.log" 2>&1
  echo "$name: exit status $?, $((SECONDS - begin)) s"
}

benchmark() {  # NAME SECONDS ARGUMENTS...
  part "$1" "$2" "$python" -m training.benchmark "${@:3}" --turns 3 --seconds 2 \
    --output "$folder/$1.json"
}

nvidia-smi > "$folder/nvidia-smi.log" 2>&1
# Start-up, twice: the second time finds what the first one left on the disk.
for turn in 1 2; do
  part "start_up_$turn" 90 "$python" -m training.train vae_fashion --epochs 3 --fresh \
    --output "$folder/runs/start_up" --export "$folder/exports"
done
# The same bits twice: exit status 0.
for turn in 1 2; do
  part "exact_$turn" 60 "$python" -m training.train dcgan_lecture --epochs 1 --fresh --no-export \
    --output "$folder/runs/exact_$turn"
done
part same_bits 60 "$python" -c "import sys, numpy, tfgen; \
a, b = (tfgen.load(path).get_weights() for path in sys.argv[1:]); \
sys.exit(not all(map(numpy.array_equal, a, b)))" "$folder"/runs/exact_{1,2}/model.keras
benchmark dcgan 240 dcgan --batch-sizes 64,1024 --ways keras_xla,tfgen,tfgen_shared,torch_shared
benchmark others 180 wgan_gp mlp_vae --dtypes float32 --ways keras_xla,tfgen,tfgen_plain,torch
part tests 200 "$python" -m pytest -p no:cacheprovider -m "gpu and not slow" --numprocesses 8
benchmark cyclegan 120 cyclegan_64 --dtypes float32 --ways keras_xla,tfgen,tfgen_plain,torch
