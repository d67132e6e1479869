import { basename } from 'node:path';
import type { StoreNews } from '../storage/open-store.ts';
import type { EventLog } from './event-log.ts';

/** What the opening of a store did to its file. */
export const logStoreNews = (log: EventLog, news: StoreNews): void => {
  if (news.type === 'migrated') log.event('store.migrated', { from: news.from, to: news.to });
  else log.event('store.set-aside', { file: basename(news.aside), rows: news.rows });
};
