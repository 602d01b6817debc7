"""Lessons that train, as on a machine with a card: every network that is sent there comes back."""

import nbformat
import pytest
from nbclient import NotebookClient
from shared import once

from kdsharp import course

TRAIN = ("06_teacher", "07_transformer_teacher", "08_student_alone", "09_distillation", "11_losses", "12_optimizers")
CARD = """
import torch
from kdsharp.train import loop
moves = {}

def to(network, *where, **more):
    if where and isinstance(where[0], (str, torch.device)):
        moves.setdefault(id(network), []).append(torch.device(where[0]).type)
    return network  # nothing moves in truth: there is no card

class Process:
    device, num_processes, is_main_process, process_index = torch.device("meta"), 1, True, 0
    def wait_for_everyone(self): pass

torch.nn.Module.to, loop.this_process = to, Process
"""
HOME = """
assert moves, "nothing was trained"
for each in moves.values():
    assert each == ["meta", "cpu"] * (len(each) // 2), each
print(len(moves), "networks came home")
"""


@pytest.mark.parametrize("name", once(TRAIN, "09_distillation"))
def test_every_network_that_a_lesson_trains_comes_home(name, tmp_path):
    notebook = nbformat.read(course.lessons()[name], as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace('PROFILE = "lab"', 'PROFILE = "smoke"')
    code = nbformat.v4.new_code_cell
    notebook.cells = [code(CARD), *notebook.cells, code(HOME)]
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "networks came home" in notebook.cells[-1].outputs[0].text
