"""Every page of the product, looked at by a browser: `make screens`."""
