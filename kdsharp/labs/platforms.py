"""Whose file is this? The names that Moodle, Canvas, Blackboard and ILIAS give to what they export.

Where each naming comes from:

- Moodle: a folder ``NAME_NUMBER_assignsubmission_file_`` for each participant, made in ``mod/assign/locallib.php``;
  with "download in folders" off the same stands in front of the file's name.
- Canvas: ``NAME_[LATE_]USERID_FILEID_FILE``, or ``[LATE_]anon_ID_FILEID_FILE`` where names are hidden, made in
  canvas-lms' ``lib/content_zipper.rb`` (``get_filename``, ``add_upload_submission``). A file that its author has handed
  in before under the same name ends on ``-1``: ``make_unique_filename`` in ``app/models/attachment.rb``.
- Blackboard: ``ASSIGNMENT_USERNAME_attempt_YYYY-MM-DD-hh-mm-ss_FILE``, as in nbgrader's ``plugins/zipcollect.py``.
- ILIAS: a folder ``LASTNAME_FIRSTNAME_LOGIN_ID``, made in ``Modules/Exercise/classes/class.ilExSubmission.php``
  (``getDirectoryNameFromUserData``), all of it in ASCII; those of a team lie in a folder of the team, and a second file
  of one name ends on `` (2)``.

When was it handed in? Blackboard's name says so. The archives of Canvas and ILIAS hold the moment of their download,
because both write new files into them; those of Moodle hold either, by its version (``add_file_from_stored_file`` in
``files/classes/local/archive_writer/zip_writer.php``). So the times of files are believed where they differ from each
other (:mod:`kdsharp.labs.collecting`). Canvas writes into a name that it came late; ILIAS does so in its own language,
which is not read.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_file_?(?P<file>.*)")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_(?P<attempt>\d+)_(?P<file>.+)")
ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<number>\w+?))_(?P<attempt>\d+)_(?P<file>.+)")
BLACKBOARD = re.compile(r".+_(?P<login>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+))?")
ILIAS = re.compile(r"(?P<last>[^_]+)_(?P<first>[^_]+)_(?P<login>[^_].*)_(?P<number>\d+)")
COPY = re.compile(r"(?: ?\((\d+)\)|-(\d+))(?=\.\w+$)")
NO_ACCENT = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that Unicode does not take apart."""


@dataclass(frozen=True)
class Owner:
    """Whose a file is, as its name says.

    Attributes:
        platform: ``moodle``, ``canvas``, ``blackboard``, ``ilias`` or ``files``.
        student: short name in ASCII, for folders and the grade book.
        name: as the platform shows it.
        number: the platform's own number or login, which its import wants back.
        file: what the person called her file.
        late: whether the platform says so.
        attempt: grows from one attempt to the next; a time where the name has one.
    """

    platform: str
    student: str
    name: str
    number: str
    file: str
    late: bool = False
    attempt: str = ""


def owner(path: str) -> Owner:
    """Whose the file at ``path`` of an export is."""
    parts = PurePosixPath(unicodedata.normalize("NFC", path)).parts
    for place, part in enumerate(parts):
        below = "/".join(parts[place + 1 :])
        if found := MOODLE.fullmatch(part):
            name = found["name"]
            return Owner("moodle", short(name, found["number"]), name, found["number"], below or found["file"])
        if below and (found := ILIAS.fullmatch(part)):
            name = f"{found['first']} {found['last']}"
            return Owner("ilias", short(found["login"], found["number"]), name, found["login"], below)
    last = parts[-1] if parts else "file"
    if found := BLACKBOARD.fullmatch(last):
        login, file = found["login"], found["file"] or last
        return Owner("blackboard", short(login, login), login, login, file, attempt=found["time"])
    if found := ANONYMOUS.fullmatch(last) or CANVAS.fullmatch(last):
        number, attempt = found["number"], found["attempt"].zfill(12)
        student = short(f"{found['name']}-{number}", number)
        return Owner("canvas", student, found["name"], number, found["file"], bool(found["late"]), attempt)
    name = parts[0] if len(parts) > 1 else COPY.sub("", last).rsplit(".", 1)[0]
    return Owner("files", short(name, ""), name, "", "/".join(parts[1:]) or last)


def short(name: str, number: str) -> str:
    """A name in lower-case ASCII; where nothing of it is left, ``student-`` and the platform's number."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(NO_ACCENT))
    made = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode()).strip("-")[:60]
    if made:
        return made
    mixed = "".join(f"{ord(each):x}" for each in name[:8])
    return f"student-{number or mixed}"


def copy_number(file: str) -> int:
    """Which copy of a file this is: 2 for ``lab1 (2).ipynb`` and ``lab1-2.ipynb``, 0 for the first."""
    found = COPY.search(file)
    return int(found[1] or found[2]) if found else 0
