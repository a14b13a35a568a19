"""The native engine: a network's own C++, made, compiled and kept.

Reading order: layers, chain (a module as layers), plan, planning, tiles, scratch, source (C++), build and cache,
compiled, native_engine; and kernels, which the C++ is made of.
"""
