"""How the lab is built, brought up, broken, mended and taken down."""
