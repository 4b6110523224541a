"""Uploads are read in memory or not at all: a list of people never lies on the disk.

A file above the limit keeps its size and loses its content, so that the form can say beside the field how
large it is allowed to be.
"""

from __future__ import annotations

from io import BytesIO

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class BoundedMemoryHandler(FileUploadHandler):
    """Holds at most FILE_UPLOAD_MAX_MEMORY_SIZE bytes of one request's files, whatever the request claims."""

    held = 0

    def new_file(self, *args: object, **kwargs: object) -> None:
        super().new_file(*args, **kwargs)  # type: ignore[arg-type]
        self.parts: list[bytes] | None = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.parts is None:
            return
        if self.held + len(raw_data) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
            self.held -= sum(map(len, self.parts))
            self.parts = None
            return
        self.held += len(raw_data)
        self.parts.append(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        return InMemoryUploadedFile(
            file=BytesIO(b"".join(self.parts or [])),
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type or "",
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
