#!/bin/bash
# Trains a recipe on several nodes, one process on each with all its GPUs:
#
#     sbatch --nodes=4 training/cluster/slurm.sh wgan_gp_fashion --epochs 40
#
# From the project's folder, which all nodes must see. Cut off by its time limit, by preemption or by
# a node that fails, the job is put into the queue again, and goes on from its last checkpoint. That
# happens 20 times at most; for another number:
#
#     TFGEN_RESTARTS=100 sbatch training/cluster/slurm.sh wgan_gp_fashion
#SBATCH --job-name=tfgen
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
set -uo pipefail

restarts=${SLURM_RESTART_COUNT:-0} # Slurm counts them, its own among them
most=${TFGEN_RESTARTS:-20}

srun --kill-on-bad-exit=1 .venv/bin/python -m training.train --strategy multiworker "$@"
code=$?

# From 128 on another start can help: killed, asked to end, another worker lost.
if ((code >= 128 && restarts < most)); then
    echo "slurm: ended with code $code; restart $((restarts + 1)) of $most is queued." >&2
    scontrol requeue "$SLURM_JOB_ID"
elif ((code >= 128)); then
    echo "slurm: ended with code $code after $restarts restarts: not queued again. The same" \
        "command goes on from the last checkpoint; TFGEN_RESTARTS allows more." >&2
fi
exit "$code"
