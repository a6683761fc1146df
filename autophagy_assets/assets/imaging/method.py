"""How a field of view is imaged: the code and the parameters on which its single cells depend.

Narrower than the fingerprint of the sample that it belongs to: a sample is looked at again when
one of its fields changes, and the others are imaged again only if they would come out differently.
"""

from typing import TYPE_CHECKING, Any

from autophagy_assets.config.study import Study
from autophagy_assets.staleness.code import code_of
from autophagy_assets.staleness.fingerprint import Fingerprint, changes

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

METHOD = "method"  # under this name a run notes how its fields were imaged


def note_method(context: "StudyContext") -> None:
    """Record with the run how the fields of its sample have been imaged.

    Parameters
    ----------
    context : StudyContext
        Its study has noted which entries were read.
    """
    context.recorder.notes[METHOD] = method_of(context.study, context.study.entries_read).as_json()


def method_of(study: Study, entries: set[str]) -> Fingerprint:
    """How a field is imaged now.

    Parameters
    ----------
    entries : set of str
        Entries of the study that imaging reads.

    Returns
    -------
    Fingerprint
        Without inputs.
    """
    from autophagy_assets.analysis.imaging.segmentation import process_field

    code, values = code_of(process_field), study.values()
    # Whether fields share datasets changes nothing of a field.
    read = {entry: values[entry] for entry in sorted(entries - {"storage"})}
    return Fingerprint(code.modules, code.libraries, read)


def same_method(noted: Any, study: Study) -> bool:
    """Whether a field would be imaged now as it was.

    Parameters
    ----------
    noted : object
        What :func:`note_method` kept.

    Returns
    -------
    bool
        False where nothing is known of it.
    """
    made = Fingerprint.from_json(noted)
    if made is None:
        return False
    now = method_of(study, set(study.values()))
    return not changes(made, now, pinned=study.pin_code)
