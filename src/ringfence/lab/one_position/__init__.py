"""One position under the liquidation rules of others and under ours."""
