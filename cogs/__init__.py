"""The Discord surface: parse, authorise, call one service, render. Nothing else."""
