"""The tools of tools.py as the Agents SDK's function tools: same arguments, same validation, same record."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Annotated, Any

from agents import FunctionTool, RunContextWrapper, function_tool
from agents.exceptions import ModelBehaviorError
from pydantic import ValidationError

from shared.agent.tool_run import ToolRun
from shared.agent.tools import TOOLS, Tool, call, complaint, refused

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
        """What the model reads after a failed call; a fault of ours is kept in the draft and ends the turn."""
        if isinstance(error, ModelBehaviorError):
            # The SDK refused the arguments before our function saw them, and does not say why.
            return json.dumps({"error": _refused(context.context, one, getattr(context, "tool_arguments", ""))})
        return json.dumps({"error": complaint(error) if isinstance(error, ValidationError) else "the tool failed"})

    return tell


def _refused(run: ToolRun, one: Tool, raw: str) -> str:
    refused(run, one, raw)
    try:
        one.arguments.model_validate_json(raw)
    except ValidationError as error:
        return complaint(error)
    return "the arguments do not fit the tool"
