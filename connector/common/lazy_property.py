"""A property that is computed when it is first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy_property(Generic[T]):
    """A `functools.cached_property` without a lock, for objects that are created for every row.

    Up to Python 3.11, `cached_property` acquires a lock that all objects of the class share, so that rows
    that run in parallel wait for each other.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy_property[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> lazy_property[T] | T:
        """Compute the value; it is then read from the instance, without a call of this method."""
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
