/* Byte buffers, and text between UTF-16 and UTF-8. Lone surrogates become U+FFFD, as on Windows. */
#include "emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NULL_STRING 0xffffffffu
#define REPLACEMENT 0xfffdu

static bool reserve(Buffer *buffer, size_t extra) {
    size_t capacity = buffer->capacity == 0 ? 256 : buffer->capacity;
    unsigned char *data;
    if (buffer->failed) return false;
    while (capacity - buffer->length < extra) capacity *= 2;
    if (capacity == buffer->capacity) return true;
    data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_free(Buffer *buffer) {
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

void put_u8(Buffer *buffer, uint8_t value) {
    if (reserve(buffer, 1)) buffer->data[buffer->length++] = value;
}

void put_u32(Buffer *buffer, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) put_u8(buffer, (uint8_t)(value >> shift));
}

void put_text(Buffer *buffer, const char *text) {
    size_t length;
    if (text == NULL) {
        put_u32(buffer, NULL_STRING);
        return;
    }
    length = strlen(text);
    put_u32(buffer, (uint32_t)length);
    if (!reserve(buffer, length)) return;
    memcpy(buffer->data + buffer->length, text, length);
    buffer->length += length;
}

/* One code point of UTF-16 at `text`; moves on past it. */
static uint32_t next_wide(PCWSTR *text) {
    uint32_t unit = (uint16_t) * (*text)++;
    uint32_t second;
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    second = (uint16_t) * *text;
    if (unit > 0xdbff || second < 0xdc00 || second > 0xdfff) return REPLACEMENT;
    (*text)++;
    return 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
}

static void put_code_point(Buffer *buffer, uint32_t point) {
    if (point < 0x80) {
        put_u8(buffer, (uint8_t)point);
    } else if (point < 0x800) {
        put_u8(buffer, (uint8_t)(0xc0 | point >> 6));
        put_u8(buffer, (uint8_t)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        put_u8(buffer, (uint8_t)(0xe0 | point >> 12));
        put_u8(buffer, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        put_u8(buffer, (uint8_t)(0x80 | (point & 0x3f)));
    } else {
        put_u8(buffer, (uint8_t)(0xf0 | point >> 18));
        put_u8(buffer, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
        put_u8(buffer, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        put_u8(buffer, (uint8_t)(0x80 | (point & 0x3f)));
    }
}

static void write_u32(unsigned char *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

void put_wide(Buffer *buffer, PCWSTR text) {
    size_t at = buffer->length;
    if (text == NULL) {
        put_u32(buffer, NULL_STRING);
        return;
    }
    put_u32(buffer, 0);
    while (*text != 0) put_code_point(buffer, next_wide(&text));
    if (!buffer->failed) write_u32(buffer->data + at, (uint32_t)(buffer->length - at - 4));
}

void put_guid(Buffer *buffer, const GUID *id) {
    char text[37];
    const unsigned char *tail;
    if (id == NULL) {
        put_text(buffer, NULL);
        return;
    }
    tail = id->Data4;
    (void)snprintf(text, sizeof text, "%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X", (unsigned)id->Data1, (unsigned)id->Data2, (unsigned)id->Data3,
             tail[0], tail[1], tail[2], tail[3], tail[4], tail[5], tail[6], tail[7]);
    put_text(buffer, text);
}

void put_handle(Buffer *buffer, const void *handle) { put_number(buffer, (uint64_t)(uintptr_t)handle); }

void put_number(Buffer *buffer, uint64_t value) {
    /* By hand: the C library of old Windows has no portable format for 64 bits. */
    char text[21];
    size_t at = sizeof text - 1;
    text[at] = 0;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put_text(buffer, text + at);
}

uint32_t get_u32(const unsigned char *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint64_t get_u64(const unsigned char *bytes) {
    return get_u32(bytes) | (uint64_t)get_u32(bytes + 4) << 32;
}

/* One code point of UTF-8; the emulator writes only well-formed UTF-8, anything else becomes U+FFFD byte by byte. */
static uint32_t next_utf8(const unsigned char *bytes, size_t length, size_t *at) {
    uint32_t first = bytes[(*at)++];
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    uint32_t point = first & (0x3fu >> more);
    if (first < 0x80) return first;
    if (more == 0 || *at + more > length) return REPLACEMENT;
    for (size_t i = 0; i < more; i++) point = point << 6 | (bytes[(*at)++] & 0x3fu);
    return point > 0x10ffff ? REPLACEMENT : point;
}

static PWSTR widen(const unsigned char *bytes, size_t length) {
    /* UTF-16 never has more units than UTF-8 has bytes. */
    PWSTR text = CoTaskMemAlloc((length + 1) * sizeof(WCHAR));
    size_t units = 0;
    if (text == NULL) return NULL;
    for (size_t at = 0; at < length;) {
        uint32_t point = next_utf8(bytes, length, &at);
        if (point >= 0x10000) {
            text[units++] = (WCHAR)(0xd800 + ((point - 0x10000) >> 10));
            text[units++] = (WCHAR)(0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            text[units++] = (WCHAR)point;
        }
    }
    text[units] = 0;
    return text;
}

bool get_wide(const Buffer *frame, size_t *offset, PWSTR *text) {
    uint32_t length;
    *text = NULL;
    if (frame->length - *offset < 4) return false;
    length = get_u32(frame->data + *offset);
    *offset += 4;
    if (length == NULL_STRING) return true;
    if (frame->length - *offset < length) return false;
    *text = widen(frame->data + *offset, length);
    *offset += length;
    return *text != NULL;
}
