//! Every shape on the wire, as text.
