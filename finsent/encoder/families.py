"""What differs by architecture, one row a family: where its parts are, and with them which cuts it allows.

Paths are those of modules below the encoder (`model.base_model`) or below one layer. None or nothing means
that the family has no such part, or that the cut of it was never tried: a recipe that asks for it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from transformers import PretrainedConfig, PreTrainedModel

from finsent.onnx_files import TRANSFORMERS_JS


@dataclass(frozen=True)
class Attention:
    """The linear layers of a self-attention, below one layer; `heads` holds the number of heads."""

    query: str
    key: str
    value: str
    output: str
    heads: str


@dataclass(frozen=True)
class Family:
    """The parts of one architecture. `layers_key` is the config's key for the number of layers.

    `after_padding`: positions are counted from behind the id of the padding token; rows before that serve no
    token. `relative`: positions are distances, so a longer text needs no longer table. `decodes`: a decoder
    reads what the encoder makes, and the head reads the decoder where the one end token of a text stands.

    `not_loaded_by` names the runtimes that know no classifier of this architecture.

    `becomes_electra`: the rest of the encoder fits into an ELECTRA, whose table of pieces may have a rank.

    `attention`, `pooler` and `head` serve a smaller hidden size, `intermediate` and `output` (the two halves
    of a feed-forward layer) a smaller intermediate size.
    """

    layers: str | None = None
    layers_key: str = "num_hidden_layers"
    positions: str | None = None
    after_padding: bool = False
    relative: bool = False
    decodes: bool = False
    not_loaded_by: tuple[str, ...] = ()
    intermediate: str | None = None
    output: str | None = None
    attention: Attention | None = None
    pooler: str | None = None
    head: str | None = None
    becomes_electra: bool = False

    @property
    def readers(self) -> tuple[str, ...]:
        """The linear layers that read hidden states."""
        own = self.attention
        projections = (own.query, own.key, own.value) if own else ()
        return _present(*projections, self.intermediate, self.pooler, self.head)

    @property
    def writers(self) -> tuple[str, ...]:
        """The linear layers that write hidden states."""
        return _present(self.attention.output if self.attention else None, self.output, self.pooler)


def _present(*paths: str | None) -> tuple[str, ...]:
    return tuple(path for path in paths if path is not None)


BERT = Family(
    layers="encoder.layer",
    positions="embeddings.position_embeddings",
    intermediate="intermediate.dense",
    output="output.dense",
    attention=Attention(
        query="attention.self.query",
        key="attention.self.key",
        value="attention.self.value",
        output="attention.output.dense",
        heads="attention.self",
    ),
    pooler="pooler.dense",
    head="classifier",
    becomes_electra=True,
)

ELECTRA = replace(BERT, attention=None, pooler=None, head=None, becomes_electra=False)
ROBERTA = replace(ELECTRA, after_padding=True)
DEBERTA = replace(ELECTRA, relative=True)

FAMILIES = {  # by the model_type of config.json
    "bert": BERT,
    "electra": ELECTRA,
    "distilbert": Family(
        layers="transformer.layer", layers_key="n_layers", positions="embeddings.position_embeddings"
    ),
    "mpnet": ROBERTA,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
    "camembert": ROBERTA,
    "deberta": DEBERTA,
    "deberta-v2": DEBERTA,
    "albert": Family(positions="embeddings.position_embeddings"),  # its layers share their weights
    "modernbert": Family(relative=True),  # local and global attention take turns, so no layer can go
    # its first layers hold the distances for all, so no layer can go
    "t5": Family(relative=True, decodes=True, not_loaded_by=(TRANSFORMERS_JS,)),
}
OTHER = Family()  # loads and trains whole


def find_family(model: PreTrainedModel) -> Family:
    """Return the row of a model's architecture."""
    return find_row(model.config)


def find_row(config: PretrainedConfig) -> Family:
    """Return the row of the architecture that a config is of."""
    return FAMILIES.get(config.model_type, OTHER)
