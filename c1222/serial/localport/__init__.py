"""The local port of C12.22: the line between a device and its communication module, which carries APDUs.

Most of it is known from one implementation of a module, Itron's stack [1]; what nobody confirms is in
``specs/ambiguities.md``, K40 to K45.
"""
