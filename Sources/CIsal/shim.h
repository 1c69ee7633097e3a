#pragma once
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

// A stream that compresses at level 1 into a format of igzip_lib.h (IGZIP_GZIP, IGZIP_ZLIB); NULL without memory.
static inline struct isal_zstream *isal_stream_new(uint16_t format) {
  struct isal_zstream *stream = (struct isal_zstream *)malloc(sizeof *stream + ISAL_DEF_LVL1_DEFAULT);
  if (stream == NULL) return NULL;
  isal_deflate_init(stream);
  stream->level = 1;
  stream->level_buf = (uint8_t *)(stream + 1);
  stream->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
  stream->gzip_flag = format;
  stream->flush = NO_FLUSH;
  return stream;
}

static inline void isal_stream_free(struct isal_zstream *stream) { free(stream); }

static inline int isal_stream_is_over(const struct isal_zstream *stream) {
  return stream->internal_state.state == ZSTATE_END;
}
