#include "CPageAssets.h"

// The page's files are compiled in with #embed (C23, in clang since 19): a 400 KB file costs a third of a second, where a
// Swift array literal of it costs minutes, and the compiler's dependency file names them, so an edit rebuilds.
// To add a file: one array here and one line in the table below.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "../../Gateway/Page/index.html"
};

#define ASSET(path, bytes) { path, bytes, sizeof bytes }

static const struct page_asset assets[] = {
    ASSET("index.html", index_html),
};

const size_t page_asset_count = sizeof assets / sizeof assets[0];

const struct page_asset *page_asset_at(size_t index) { return &assets[index]; }
