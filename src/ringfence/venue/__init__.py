"""The shell: orders, stamps, journals and applies commands; wallets and the registry."""
