// The bytes of language_model.bin within the program. Made by: slipway train langid udhr2/ --out src/text/language_model.bin
#if defined(__APPLE__)
#error "the assembler of this platform needs another section"
#endif

__asm__(
    ".section .rodata\n"
    ".global slipway_language_model_begin\n"
    ".global slipway_language_model_end\n"
    ".balign 16\n"
    "slipway_language_model_begin:\n"
    ".incbin \"" SLIPWAY_LANGUAGE_MODEL "\"\n"
    "slipway_language_model_end:\n"
    ".byte 0\n"
    ".previous\n");
