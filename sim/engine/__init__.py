"""The engine: virtual time, exact windows of counts, random streams, batch kernels."""
