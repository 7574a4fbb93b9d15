"""ESP32s that announce themselves or are looked for."""
