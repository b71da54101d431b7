"""What a community likes, learned from its votes. It orders on-model pictures and judges none."""
