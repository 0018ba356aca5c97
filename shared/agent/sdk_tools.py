"""The tools of tools.py as the Agents SDK's function tools: same arguments, same validation, same record."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Annotated, Any

from agents import FunctionTool, RunContextWrapper, function_tool
from pydantic import ValidationError

from shared.agent.contract import ToolCall
from shared.agent.fingerprint import fingerprint
from shared.agent.tools import TOOLS, Tool, ToolRun, call, complaint
from shared.observability.metrics import TOOL_CALLS

Context = RunContextWrapper[ToolRun]


@cache
def sdk_tools() -> tuple[FunctionTool, ...]:
    """All tools; made once, since they read their turn from the run's context."""
    return tuple(_function_tool(one) for one in TOOLS)


def _function_tool(one: Tool) -> FunctionTool:
    decorate = function_tool(
        name_override=one.name,
        description_override=one.description,
        use_docstring_info=False,
        failure_error_function=_failed(one),
    )
    return decorate(_typed(one))


def _typed(one: Tool) -> Callable[..., Coroutine[Any, Any, str]]:
    """A function whose signature is the tool's arguments, one parameter a field."""

    async def invoke(context: Context, **arguments: Any) -> str:
        return (await call(context.context, one, arguments)).model_dump_json()

    fields = {name: Annotated[field.annotation, field] for name, field in one.arguments.model_fields.items()}
    first = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Context)
    others = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in fields.items()]
    invoke.__signature__ = inspect.Signature([first, *others], return_annotation=str)  # pyright: ignore[reportFunctionMemberAccess]
    invoke.__annotations__ = {"context": Context, **fields, "return": str}
    return invoke


def _failed(one: Tool) -> Callable[[RunContextWrapper[Any], Exception], str]:
    def tell(context: RunContextWrapper[Any], error: Exception) -> str:
        """What the model reads after a failed call; a fault of ours is kept and ends the turn."""
        cause = error if isinstance(error, ValidationError) else error.__cause__
        if isinstance(cause, ValidationError):
            if not isinstance(error, ValidationError):
                _refused(context.context, one)
            return json.dumps({"error": complaint(cause)})
        return json.dumps({"error": "the tool failed"})

    return tell


def _refused(run: ToolRun, one: Tool) -> None:
    """The SDK refused the arguments before our function saw them."""
    print_, size = fingerprint({})
    run.draft.calls.append(ToolCall(one.name, print_, size, ok=False))
    TOOL_CALLS.labels(one.name, "invalid").inc()
