"""Systematic mutants: every place in a function where one small change of the source makes another program.

Left alone are docstrings, annotations, decorators and messages, and keywords that say how and not what to compute.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

Node = ast.expr | ast.stmt
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
TWINS = {"min": "max", "max": "min", "any": "all", "all": "any", "sum": "mean", "mean": "sum"}
UNSEEN = {"strict", "device", "fused", "memory_format", "non_blocking", "dtype", "encoding", "indent"}
COMMUTATIVE = {"min", "max"}
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_params"}


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: path below the package's folder.
        function: the qualified name of the outermost function that the change is in.
        old: the piece of source that goes.
        new: the piece that comes.
        text: the whole mutated file.
        number: which one it is of those in the function that read the same, from 1.
    """

    file: str
    function: str
    old: str
    new: str
    text: str
    number: int = 1

    @property
    def name(self) -> str:
        """What it is called, whatever line it stands in."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file} {self.function}: {self.old} -> {self.new}{again}"


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of `file` with the text `source`."""
    for function, name in functions(ast.parse(source), ""):
        alike: Counter[tuple[str, str]] = Counter()
        for node in (node for statement in function.body for node in walk(statement)):
            for change in replacements(node):
                old, new, text = substitute(source, *change)
                alike[old, new] += 1
                yield Mutant(file, name, old, new, text, alike[old, new])


def functions(parent: ast.AST, prefix: str) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yield the outermost functions below `parent`, each with its qualified name."""
    for child in ast.iter_child_nodes(parent):
        if isinstance(child, ast.FunctionDef):
            yield child, prefix + child.name
        elif isinstance(child, ast.ClassDef):
            yield from functions(child, f"{prefix}{child.name}.")


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` and whatever lies below it and may be mutated."""
    if isinstance(node, ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.keyword) and node.arg in UNSEEN:
        return
    yield node
    if isinstance(node, ast.Raise) or _is_call(node, "isinstance"):
        return
    for name, value in ast.iter_fields(node):
        if name not in SKIPPED_FIELDS:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child)


def replacements(node: ast.AST) -> Iterator[tuple[Node, ast.AST | str]]:
    """Yield each change of `node`: the part of it that goes, and the part or the text that comes."""
    yield from _operators(node)
    yield from _names_and_numbers(node)
    yield from _conditions(node)
    yield from _statements(node)
    if isinstance(node, ast.Call):
        yield from _calls(node)


def _operators(node: ast.AST) -> Iterator[tuple[Node, ast.AST]]:
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                for other in COMPARISONS[type(operator)]:
                    yield node, _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_text(node):
            yield node, _with(node, op=ARITHMETIC[type(node.op)]())
        case ast.BoolOp():
            yield node, _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub()) if not isinstance(node.operand, ast.Constant):
            yield node, node.operand


def _names_and_numbers(node: ast.AST) -> Iterator[tuple[Node, ast.AST]]:
    match node:
        case ast.Constant(value=bool(value)):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield node, ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield node, ast.Constant(2 * value if value else 1.0)
        case ast.Name(id=name) if name in TWINS:
            yield node, ast.Name(TWINS[name])
        case ast.Attribute(attr=name) if name in TWINS:
            yield node, _with(node, attr=TWINS[name])


def _conditions(node: ast.AST) -> Iterator[tuple[Node, ast.AST]]:
    """Negate a condition, unless there is a change of its operator that does; let a filter pass everything."""
    match node:
        case ast.If() | ast.While() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            yield node.test, ast.UnaryOp(ast.Not(), node.test)
        case ast.comprehension():
            for test in node.ifs:
                yield test, ast.Constant(value=True)


def _calls(node: ast.Call) -> Iterator[tuple[Node, ast.AST]]:
    """Drop one keyword, or exchange the first two arguments."""
    for place, keyword in enumerate(node.keywords):
        if keyword.arg not in UNSEEN:
            yield node, _with(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])
    commute = isinstance(node.func, ast.Name) and node.func.id in COMMUTATIVE
    if len(node.args) > 1 and not commute and not any(isinstance(each, ast.Starred) for each in node.args[:2]):
        yield node, _with(node, args=[node.args[1], node.args[0], *node.args[2:]])


def _statements(node: ast.AST) -> Iterator[tuple[Node, str]]:
    """Leave a statement out."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete() | ast.Raise():
            yield node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, "pass"
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"


def substitute(source: str, old: Node, new: ast.AST | str) -> tuple[str, str, str]:
    """Return the source of `old` and of `new`, each on one line, and the text with one in place of the other."""
    content = source.encode()
    line_starts = [0, *accumulate(len(line) for line in content.splitlines(keepends=True))]
    start = line_starts[old.lineno - 1] + old.col_offset
    end = line_starts[(old.end_lineno or 0) - 1] + (old.end_col_offset or 0)
    piece = new if isinstance(new, str) else f"({ast.unparse(new)})"
    text = (content[:start] + piece.encode() + content[end:]).decode()
    return " ".join(ast.unparse(old).split()), " ".join(piece.split()), text


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        for each in (node.left, node.right)
    )
