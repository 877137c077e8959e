# doc/pages/pages.mk - man pages: those written by hand stand beside what they
# are about; those of configuration files are made from the tables of options.

CONF_TEMPLATES := $(sort $(shell find $(FOLDERS) -name '*.5.in'))
CONF_PAGES := $(patsubst %.in,$(OUT)/pages/%,$(notdir $(CONF_TEMPLATES)))
PAGES := $(sort $(shell find $(FOLDERS) -name '*.[158]'))

$(OUT)/conf_page: $(OUT)/doc/pages/conf_page.o $(ARCHIVE)
	$(if $(V),,@echo '  LD    $@')
	$(Q)$(CC) $(MODELD) $(LDFLAGS) -o $@ $^ $(ALLLDLIBS)

define conf_page_rule
$$(OUT)/pages/$(basename $(notdir $1)): $1 $$(OUT)/conf_page
	@mkdir -p $$(@D)
	@$$(OUT)/conf_page $(patsubst brusio-%.conf.5.in,%,$(notdir $1)) \
		<$1 >$$@.new || { rm -f $$@.new; \
		echo "$1: the page cannot be made of it" >&2; exit 1; }
	@mv $$@.new $$@
endef
$(foreach t,$(CONF_TEMPLATES),$(eval $(call conf_page_rule,$t)))

.PHONY: install-pages lint-pages pages uninstall-pages
pages: $(CONF_PAGES)
# mandoc knows whether a page is well-formed; it need not be there to build.
lint-pages: pages
	@mandoc -Tlint -Wwarning $(PAGES) $(CONF_PAGES)
	@echo 'pages: mandoc finds nothing in $(words $(PAGES) $(CONF_PAGES)) pages'
install-pages: pages
	@mkdir -p $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 \
		$(DESTDIR)$(MANDIR)/man8
	@for m in $(PAGES) $(CONF_PAGES); do \
		install -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.} || exit 1; done
# Pages that another version has put elsewhere go too.
uninstall-pages:
	@for m in $(notdir $(PAGES) $(CONF_PAGES)) brusio-relay.1 \
		brusio-directory.1; do \
		rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$$m; done
