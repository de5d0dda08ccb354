"""Find out why self-service password resets fail, from what Microsoft Entra logs about them."""

__version__ = "0.1.0"
