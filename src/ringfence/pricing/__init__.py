"""Option prices, sensitivities and volatility surfaces: pure functions in float64."""
