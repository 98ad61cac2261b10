"""From floats to integers: who might be liquidated, prices of liquidation, simulations."""
