#ifndef CPAGEASSETS_H
#define CPAGEASSETS_H

#include <stddef.h>

/// One file of the web page, as it was when the server was built.
struct page_asset {
    /// The file's path below Sources/Gateway/Page, without a leading slash.
    const char *_Nonnull path;
    const unsigned char *_Nonnull bytes;
    size_t size;
};

/// Number of files.
extern const size_t page_asset_count;

/// The file at `index`, which must be below `page_asset_count`.
const struct page_asset *_Nonnull page_asset_at(size_t index);

#endif
