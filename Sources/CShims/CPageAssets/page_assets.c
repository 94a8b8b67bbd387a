#include "CPageAssets.h"

// The page's files are compiled in with #embed (C23, in clang since 19): a 400 KB file costs a third of a second, where a
// Swift array literal of it costs minutes, and the compiler's dependency file names them, so an edit rebuilds.
// To add a file: one array here and one line in the table below.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "../../Gateway/Page/index.html"
};

static const unsigned char app_js[] = {
#embed "../../Gateway/Page/app.js"
};

static const unsigned char call_js[] = {
#embed "../../Gateway/Page/call.js"
};

static const unsigned char capabilities_js[] = {
#embed "../../Gateway/Page/capabilities.js"
};

static const unsigned char api_openapi_json[] = {
#embed "../../Gateway/Page/api/openapi.json"
};

static const unsigned char console_api_js[] = {
#embed "../../Gateway/Page/console/api.js"
};

static const unsigned char console_chart_js[] = {
#embed "../../Gateway/Page/console/chart.js"
};

static const unsigned char console_console_css[] = {
#embed "../../Gateway/Page/console/console.css"
};

static const unsigned char console_dom_js[] = {
#embed "../../Gateway/Page/console/dom.js"
};

static const unsigned char console_drops_js[] = {
#embed "../../Gateway/Page/console/drops.js"
};

static const unsigned char console_hour_js[] = {
#embed "../../Gateway/Page/console/hour.js"
};

static const unsigned char console_stats_js[] = {
#embed "../../Gateway/Page/console/stats.js"
};

static const unsigned char console_index_html[] = {
#embed "../../Gateway/Page/console/index.html"
};

static const unsigned char console_main_js[] = {
#embed "../../Gateway/Page/console/main.js"
};

static const unsigned char console_events_js[] = {
#embed "../../Gateway/Page/console/events.js"
};

static const unsigned char console_roomview_js[] = {
#embed "../../Gateway/Page/console/roomview.js"
};
static const unsigned char console_why_js[] = {
#embed "../../Gateway/Page/console/why.js"
};

static const unsigned char devices_js[] = {
#embed "../../Gateway/Page/devices.js"
};

static const unsigned char tilestats_js[] = {
#embed "../../Gateway/Page/tilestats.js"
};

static const unsigned char grid_js[] = {
#embed "../../Gateway/Page/grid.js"
};

static const unsigned char icon_svg[] = {
#embed "../../Gateway/Page/icon.svg"
};

static const unsigned char loading_js[] = {
#embed "../../Gateway/Page/loading.js"
};

static const unsigned char lobby_js[] = {
#embed "../../Gateway/Page/lobby.js"
};

static const unsigned char localmedia_js[] = {
#embed "../../Gateway/Page/localmedia.js"
};

static const unsigned char toasts_js[] = {
#embed "../../Gateway/Page/toasts.js"
};

static const unsigned char protoo_js[] = {
#embed "../../Gateway/Page/protoo.js"
};

static const unsigned char publishing_js[] = {
#embed "../../Gateway/Page/publishing.js"
};

static const unsigned char receivetransport_js[] = {
#embed "../../Gateway/Page/receivetransport.js"
};

static const unsigned char room_js[] = {
#embed "../../Gateway/Page/room.js"
};

static const unsigned char channels_js[] = {
#embed "../../Gateway/Page/channels.js"
};
static const unsigned char chat_js[] = {
#embed "../../Gateway/Page/chat.js"
};
static const unsigned char conversation_js[] = {
#embed "../../Gateway/Page/conversation.js"
};
static const unsigned char sdp_js[] = {
#embed "../../Gateway/Page/sdp.js"
};

static const unsigned char sendtransport_js[] = {
#embed "../../Gateway/Page/sendtransport.js"
};

static const unsigned char serialqueue_js[] = {
#embed "../../Gateway/Page/serialqueue.js"
};

static const unsigned char socketio_js[] = {
#embed "../../Gateway/Page/socket.io/socket.io.js"
};

static const unsigned char statistics_js[] = {
#embed "../../Gateway/Page/statistics.js"
};

static const unsigned char style_css[] = {
#embed "../../Gateway/Page/style.css"
};

static const unsigned char tilepanel_js[] = {
#embed "../../Gateway/Page/tilepanel.js"
};

static const unsigned char tiles_js[] = {
#embed "../../Gateway/Page/tiles.js"
};

static const unsigned char transport_js[] = {
#embed "../../Gateway/Page/transport.js"
};

static const unsigned char announcements_js[] = {
#embed "../../Gateway/Page/announcements.js"
};

static const unsigned char arrangement_js[] = {
#embed "../../Gateway/Page/arrangement.js"
};

static const unsigned char banner_js[] = {
#embed "../../Gateway/Page/banner.js"
};

static const unsigned char flow_js[] = {
#embed "../../Gateway/Page/flow.js"
};

static const unsigned char memory_js[] = {
#embed "../../Gateway/Page/memory.js"
};

static const unsigned char moderation_js[] = {
#embed "../../Gateway/Page/moderation.js"
};
static const unsigned char mutehint_js[] = {
#embed "../../Gateway/Page/mutehint.js"
};

static const unsigned char notifications_js[] = {
#embed "../../Gateway/Page/notifications.js"
};

static const unsigned char paging_js[] = {
#embed "../../Gateway/Page/paging.js"
};

static const unsigned char panels_js[] = {
#embed "../../Gateway/Page/panels.js"
};

static const unsigned char people_js[] = {
#embed "../../Gateway/Page/people.js"
};

static const unsigned char quality_js[] = {
#embed "../../Gateway/Page/quality.js"
};

static const unsigned char receiving_js[] = {
#embed "../../Gateway/Page/receiving.js"
};

static const unsigned char refusals_js[] = {
#embed "../../Gateway/Page/refusals.js"
};

static const unsigned char sending_js[] = {
#embed "../../Gateway/Page/sending.js"
};

static const unsigned char shortcuts_js[] = {
#embed "../../Gateway/Page/shortcuts.js"
};

static const unsigned char sounds_js[] = {
#embed "../../Gateway/Page/sounds.js"
};

static const unsigned char stage_js[] = {
#embed "../../Gateway/Page/stage.js"
};

static const unsigned char texts_js[] = {
#embed "../../Gateway/Page/texts.js"
};

static const unsigned char texts_de_js[] = {
#embed "../../Gateway/Page/texts/de.js"
};

static const unsigned char texts_en_js[] = {
#embed "../../Gateway/Page/texts/en.js"
};

static const unsigned char texts_es_js[] = {
#embed "../../Gateway/Page/texts/es.js"
};

static const unsigned char texts_fr_js[] = {
#embed "../../Gateway/Page/texts/fr.js"
};

static const unsigned char texts_zh_js[] = {
#embed "../../Gateway/Page/texts/zh.js"
};

#define ASSET(path, bytes) { path, bytes, sizeof bytes }

static const struct page_asset assets[] = {
    ASSET("index.html", index_html),
    ASSET("app.js", app_js),
    ASSET("call.js", call_js),
    ASSET("capabilities.js", capabilities_js),
    ASSET("api/openapi.json", api_openapi_json),
    ASSET("console/api.js", console_api_js),
    ASSET("console/chart.js", console_chart_js),
    ASSET("console/console.css", console_console_css),
    ASSET("console/dom.js", console_dom_js),
    ASSET("console/hour.js", console_hour_js),
    ASSET("console/drops.js", console_drops_js),
    ASSET("console/stats.js", console_stats_js),
    ASSET("console/index.html", console_index_html),
    ASSET("console/main.js", console_main_js),
    ASSET("console/events.js", console_events_js),
    ASSET("console/roomview.js", console_roomview_js),
    ASSET("console/why.js", console_why_js),
    ASSET("devices.js", devices_js),
    ASSET("tilestats.js", tilestats_js),
    ASSET("grid.js", grid_js),
    ASSET("icon.svg", icon_svg),
    ASSET("loading.js", loading_js),
    ASSET("lobby.js", lobby_js),
    ASSET("localmedia.js", localmedia_js),
    ASSET("toasts.js", toasts_js),
    ASSET("protoo.js", protoo_js),
    ASSET("publishing.js", publishing_js),
    ASSET("receivetransport.js", receivetransport_js),
    ASSET("room.js", room_js),
    ASSET("channels.js", channels_js),
    ASSET("chat.js", chat_js),
    ASSET("conversation.js", conversation_js),
    ASSET("sdp.js", sdp_js),
    ASSET("sendtransport.js", sendtransport_js),
    ASSET("serialqueue.js", serialqueue_js),
    ASSET("socket.io/socket.io.js", socketio_js),
    ASSET("statistics.js", statistics_js),
    ASSET("style.css", style_css),
    ASSET("tilepanel.js", tilepanel_js),
    ASSET("tiles.js", tiles_js),
    ASSET("transport.js", transport_js),
    ASSET("announcements.js", announcements_js),
    ASSET("arrangement.js", arrangement_js),
    ASSET("banner.js", banner_js),
    ASSET("flow.js", flow_js),
    ASSET("memory.js", memory_js),
    ASSET("moderation.js", moderation_js),
    ASSET("mutehint.js", mutehint_js),
    ASSET("notifications.js", notifications_js),
    ASSET("paging.js", paging_js),
    ASSET("panels.js", panels_js),
    ASSET("people.js", people_js),
    ASSET("quality.js", quality_js),
    ASSET("receiving.js", receiving_js),
    ASSET("refusals.js", refusals_js),
    ASSET("sending.js", sending_js),
    ASSET("shortcuts.js", shortcuts_js),
    ASSET("sounds.js", sounds_js),
    ASSET("stage.js", stage_js),
    ASSET("texts.js", texts_js),
    ASSET("texts/de.js", texts_de_js),
    ASSET("texts/en.js", texts_en_js),
    ASSET("texts/es.js", texts_es_js),
    ASSET("texts/fr.js", texts_fr_js),
    ASSET("texts/zh.js", texts_zh_js),
};

const size_t page_asset_count = sizeof assets / sizeof assets[0];

const struct page_asset *page_asset_at(size_t index) { return &assets[index]; }
