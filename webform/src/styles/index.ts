import actions from './actions.css?inline';
import adapt from './adapt.css?inline';
import base from './base.css?inline';
import conversation from './conversation.css?inline';
import form from './form.css?inline';
import tokens from './tokens.css?inline';

/** Everything the shadow root is dressed in. */
export const css = [tokens, base, form, conversation, actions, adapt].join('\n');
