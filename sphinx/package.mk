# sphinx/package.mk - libbrusio-sphinx: the packet on its own, shared and
# static. Both show what libbrusio-sphinx.map lists and nothing else.

SPHINX_SRCS := $(filter-out sphinx/tool/% sphinx/null.c, \
	$(filter sphinx/%,$(FOUND))) lib/error.c lib/secret.c
SPHINX_MAP  := sphinx/libbrusio-sphinx.map
SPHINX_SO   := libbrusio-sphinx.so
SPHINX_LIBS := $(shell pkg-config --libs libsodium libcrypto 2>/dev/null)
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include

$(OUT)/$(SPHINX_SO).$(SONUMBER): $(call obj,$(SPHINX_SRCS)) $(SPHINX_MAP)
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) -shared $(filter-out -pie,$(MODELD)) $(LDFLAGS) -o $@ \
		-Wl,-soname,$(@F) -Wl,--version-script=$(SPHINX_MAP) \
		$(filter %.o,$^) $(SPHINX_LIBS) -pthread
	@ln -sf $(@F) $(OUT)/$(SPHINX_SO)

# One object whose other names are local, so that they clash with nobody's.
$(OUT)/libbrusio-sphinx.a: $(call obj,$(SPHINX_SRCS)) $(SPHINX_MAP)
	$(if $(V),,@echo '  AR    $@')
	@sed -n 's/^	\(sphinx_[a-z_]*\);$$/\1/p' $(SPHINX_MAP) >$(OUT)/sphinx.names
	$(Q)$(CC) -r -nostdlib -o $(OUT)/sphinx-whole.o $(filter %.o,$^)
	$(Q)objcopy --keep-global-symbols=$(OUT)/sphinx.names \
		$(OUT)/sphinx-whole.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $(OUT)/sphinx-whole.o

$(OUT)/libbrusio-sphinx.pc: sphinx/libbrusio-sphinx.pc.in Makefile
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		$< >$@

.PHONY: libs install-libs uninstall-libs $(OUT)/libbrusio-sphinx.pc
libs: $(OUT)/$(SPHINX_SO).$(SONUMBER) $(OUT)/libbrusio-sphinx.a \
	$(OUT)/libbrusio-sphinx.pc
install-libs: libs
	@mkdir -p $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(INCLUDEDIR)/brusio/sphinx
	install -m 755 $(OUT)/$(SPHINX_SO).$(SONUMBER) $(DESTDIR)$(LIBDIR)
	@ln -sf $(SPHINX_SO).$(SONUMBER) $(DESTDIR)$(LIBDIR)/$(SPHINX_SO)
	install -m 644 $(OUT)/libbrusio-sphinx.a $(DESTDIR)$(LIBDIR)
	install -m 644 $(OUT)/libbrusio-sphinx.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 sphinx/sphinx.h $(DESTDIR)$(INCLUDEDIR)/brusio/sphinx
	@[ -n '$(DESTDIR)' ] || { PATH=$$PATH:/usr/sbin:/sbin; \
		ldconfig -N -v 2>/dev/null | grep -q '^$(LIBDIR):' && \
		ldconfig 2>/dev/null; } || echo 'the loader does not find' \
		'$(LIBDIR)/$(SPHINX_SO) yet: run ldconfig as root, or set' \
		'LD_LIBRARY_PATH=$(LIBDIR)'
uninstall-libs:
	rm -f $(DESTDIR)$(LIBDIR)/$(SPHINX_SO)* \
		$(DESTDIR)$(LIBDIR)/libbrusio-sphinx.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/libbrusio-sphinx.pc \
		$(DESTDIR)$(INCLUDEDIR)/brusio/sphinx/sphinx.h
